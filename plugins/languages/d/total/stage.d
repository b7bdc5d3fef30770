/// The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.
module stage;

import parshall;

struct Group {
    const(char)* key;
    uint length; // noKey for null
    long count;
    union {
        long whole = 0;
        double real_;
    }

    const(char)[] text() const { return length == noKey ? null : key[0 .. length]; }
}

enum uint noKey = 0xffffffff;

struct Total {
    enum Description description = {
        name: "total-d",
        version_: "0.1.0",
        summary: "Counts and sums an int64 or float64 column, by key",
        configSchema: `{"type": "object", "required": ["value"], "additionalProperties": false, "properties": {
            "value": {"type": "string", "description": "An int64 or float64 column"},
            "key": {"type": "string", "description": "A utf8 column; without it, all rows are one group"}}}`,
    };

    struct Config {
        @required string value;
        string key;
    }

    uint value, key;
    char format;
    bool keyed, told;
    Groups groups;

    bool open(ref const Config config, ref const Opening opening) {
        const schema = opening.sameSchema;
        if (!schema || !schema.find(config.value, "lg", value, "/value")) return false;
        keyed = config.key.ptr !is null;
        if (keyed && !schema.find(config.key, "u", key, "/key")) return false;
        format = (*schema)[value].format.at[0];
        if (opening.restores ? !restore(opening.restore) : (!keyed && !groups.of(null, noKey)))
            return failInternal("these bytes are no snapshot of this stage");
        Field[3] fields = [Field(config.key, "u", Field.nullable), Field("count", "l"), Field("sum", format == 'l' ? "l" : "g")];
        return opening.port("out", fields[keyed ? 0 : 1 .. $]);
    }

    bool process(ref Frame frame) {
        uint[2] columns = [value, key];
        if (!frame.read(columns[0 .. keyed ? 2 : 1])) return false;
        // int64 and float64 are equally wide: which of them it is, is asked at the addition.
        auto values = frame.numbers!long;
        auto keys = keyed ? frame.texts : Texts();
        auto group = keyed ? null : &groups.all[0];
        foreach (row, ref number; values.values) {
            if (keyed) {
                const some = keys.validity[row];
                group = groups.of(some ? keys[row].ptr : null, some ? cast(uint) keys[row].length : noKey);
            }
            if (!values.validity[row]) continue;
            group.count++;
            if (format == 'l') group.whole += number;
            else group.real_ += *cast(double*) &number;
        }
        return true;
    }

    bool finish() {
        if (told || groups.length == 0) return false;
        told = true;
        auto counts = allocate!long(groups.length), sums = allocate!long(groups.length);
        foreach (i, ref group; groups.all) {
            counts[i] = group.count;
            sums[i] = group.whole;
        }
        auto output = Output.by(0);
        output.fresh(groups.length);
        if (keyed) output.add(keys());
        output.add(Column!long(counts));
        output.add(Column!long(sums));
        return true;
    }

    /// The keys as a column of texts.
    Texts keys() {
        size_t bytes, nulls;
        foreach (ref group; groups.all) group.length == noKey ? nulls++ : (bytes += group.length);
        auto validity = allocate!ubyte((groups.length + 7) / 8);
        auto offsets = allocate!int(groups.length + 1);
        auto text = allocate!char(bytes);
        zero(validity);
        offsets[0] = 0;
        foreach (i, ref group; groups.all) {
            if (group.length != noKey) validity[i >> 3] |= 1 << (i & 7);
            copyTo(text.ptr + offsets[i], group.key, group.text.length);
            offsets[i + 1] = offsets[i] + cast(int) group.text.length;
        }
        return Texts(offsets, text.ptr, Validity(validity.ptr, nulls));
    }

    // === snapshots: a form that every language's `total` knows ===

    const(ubyte)[] snapshot() {
        size_t size = 12;
        foreach (ref group; groups.all) size += 20 + group.text.length;
        auto bytes = allocate!ubyte(size);
        size_t end;
        void put(const(void)* from, size_t length) {
            copyTo(bytes.ptr + end, from, length);
            end += length;
        }
        const kind = this.kind;
        const count = cast(uint) groups.length;
        put(kind.ptr, kind.length);
        put(&count, 4);
        foreach (ref group; groups.all) {
            if (keyed) put(&group.length, 4);
            put(group.key, group.text.length);
            put(&group.count, 8);
            put(&group.whole, 8);
        }
        return bytes[0 .. end];
    }

    string kind() { return join("total\x01", format == 'l' ? "l" : "g", keyed ? "k" : "-"); }

    bool restore(const(ubyte)[] from) {
        bool take(void* to, size_t length) {
            if (from.length < length) return false;
            copyTo(to, from.ptr, length);
            from = from[length .. $];
            return true;
        }
        char[8] said;
        uint count;
        if (!take(said.ptr, 8) || !same(said[], kind) || !take(&count, 4)) return false;
        foreach (i; 0 .. count) {
            uint length = noKey;
            if (keyed && !take(&length, 4)) return false;
            const bytes = length == noKey ? 0 : length;
            if (from.length < bytes) return false;
            auto group = groups.of(cast(const(char)*) from.ptr, length);
            from = from[bytes .. $];
            if (!take(&group.count, 8) || !take(&group.whole, 8)) return false;
        }
        return from.length == 0;
    }
}

/// Groups in the order of their coming, and where each key's is.
struct Groups {
    private Group[] room;
    size_t length;
    private uint[] slots; // index of a group + 1, at its key's hash

    Group[] all() { return room[0 .. length]; }

    /// The group of a key, which it keeps a copy of if it is new.
    Group* of(const(char)* key, uint keyLength) {
        if (length == room.length) grow();
        auto slot = hash(key, keyLength) & (slots.length - 1);
        for (; slots[slot]; slot = (slot + 1) & (slots.length - 1)) {
            auto group = &room[slots[slot] - 1];
            if (group.length == keyLength && (keyLength == noKey || same(group.text, key[0 .. keyLength]))) return group;
        }
        const text = keyLength == noKey ? null : kept(key[0 .. keyLength]).ptr;
        room[length] = Group(text, keyLength);
        slots[slot] = cast(uint)++length;
        return &room[length - 1];
    }

    private void grow() {
        auto more = keep!Group(room.length ? 2 * room.length : 64);
        copyTo(more.ptr, room.ptr, length * Group.sizeof);
        room = more;
        slots = keep!uint(2 * room.length);
        zero(slots);
        foreach (i, ref group; all) {
            auto slot = hash(group.key, group.length) & (slots.length - 1);
            while (slots[slot]) slot = (slot + 1) & (slots.length - 1);
            slots[slot] = cast(uint)(i + 1);
        }
    }

    private static uint hash(const(char)* key, uint length) {
        uint h = 2_166_136_261 ^ length;
        if (length != noKey) foreach (c; key[0 .. length]) h = (h ^ c) * 16_777_619;
        return h ^ h >> 15;
    }
}
mixin Transform!Total;
