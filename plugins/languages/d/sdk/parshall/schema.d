/// Columns by name, and ports.
module parshall.schema;

import parshall.errors;
import parshall.layout;
import parshall.memory;

struct Pair { Text key, value; }

/// One field; nested ones stand depth-first, as in the contract. `format` is that of the Arrow C data interface.
struct Field {
    Text name, format;
    ubyte flags;
    uint children;
    List!Pair metadata;

    enum : ubyte { nullable = 1, dictionaryEncoded = 8 }

    this(string name, string format, ubyte flags = 0) {
        this.name = Text(name);
        this.format = Text(format);
        this.flags = flags;
    }
}

/// The columns of a batch.
struct Schema {
    List!Field fields;
    List!Pair metadata;

    /// Where the field after one and its children stands.
    private size_t after(size_t at) const {
        const field = &fields.at[at++];
        if (field.flags & Field.dictionaryEncoded) at = after(at);
        foreach (child; 0 .. field.children) at = after(at);
        return at;
    }

    uint columns() const {
        uint columns;
        for (size_t at; at < fields.length; at = after(at)) columns++;
        return columns;
    }

    /// A column that there is not ends the instance.
    ref const(Field) opIndex(uint column) const {
        if (column >= columns) panic(join("there is no column ", decimal(column)));
        size_t at;
        foreach (i; 0 .. column) at = after(at);
        return fields.at[at];
    }

    /// The index of a column of one of the formats in a list such as "lg": `l` int64, `g` float64, `u` utf8 … What is wrong with
    /// the name stands at `pointer` in the configuration; where that is "", it is told of the column.
    bool find(string name, string formats, out uint index, string pointer = "") const {
        uint column;
        for (size_t at; at < fields.length; at = after(at), column++) {
            const field = &fields.at[at];
            if (!same(said(field.name), name)) continue;
            const dictionary = (field.flags & Field.dictionaryEncoded) != 0;
            foreach (format; formats)
                if (field.format.length == 1 && field.format.at[0] == format && !dictionary) {
                    index = column;
                    return true;
                }
            // The values of a dictionary follow its keys.
            const found = typeName(said(dictionary ? fields.at[at + 1].format : field.format));
            return failSchema(name, join("expected ", expected(formats), ", found ", dictionary ? "a dictionary of " : "", found));
        }
        if (!pointer.length) return failSchema(name, join("there is no such column; ", names));
        return failConfig(pointer, join("there is no column `", name, "`"), names);
    }

    /// The columns that there are, of many only the first.
    private string names() const {
        if (!fields.length) return "the input has no columns";
        string named;
        uint column;
        for (size_t at; at < fields.length && column < mostNamed; at = after(at), column++)
            named = column ? join(named, "`, `", said(fields.at[at].name)) : said(fields.at[at].name);
        const more = columns - column;
        return join("the columns are `", named, "`", more ? join(" and ", decimal(more), " more") : "");
    }
}

private enum mostNamed = 20;

/// A type as a person reads it, with its letter: `int64 (l)`.
string typeName(string format) {
    size_t letters;
    while (letters < format.length && format[letters] != ':') letters++;
    for (size_t at; at < typeNames.length;) {
        const key = word(at), name = word(at);
        if (same(key, format[0 .. letters])) return join(name, " (", format, ")");
    }
    return join("a type of the format `", format, "`");
}

/// The next word of `typeNames`.
private string word(ref size_t at) {
    const from = at;
    while (typeNames[at] != ' ') at++;
    return typeNames[from .. at++];
}

/// `int64 (l) or float64 (g)`, of a list such as "lg".
private string expected(string formats) {
    string all;
    foreach (at; 0 .. formats.length) all = join(all, at ? " or " : "", typeName(formats[at .. at + 1]));
    return all;
}

/// Words for the letters of the Arrow C data interface; what stands behind a colon is a parameter.
private immutable string typeNames =
    "n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64 " ~
    "z binary Z large_binary vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64 " ~
    "tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns] " ~
    "tiM interval[year_month] tiD interval[day_time] tin interval[month_day_nano] " ~
    "tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary " ~
    "+l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union ";

struct Input {
    Text name;
    Schema schema;
}

/// What an instance is opened with.
struct Opening {
    const(Input)[] inputs;
    bool restores;
    /// An earlier instance's snapshot, if `restores`.
    const(ubyte)[] restore;

    /// The schema that all inputs have; null is a failure, and told already.
    const(Schema)* sameSchema() const {
        if (inputs.length == 0) {
            failConfig("", "the stage has no input");
            return null;
        }
        const first = &inputs[0].schema;
        foreach (ref other; inputs[1 .. $]) {
            bool same = other.schema.fields.length == first.fields.length;
            foreach (at; 0 .. same ? first.fields.length : 0) {
                const a = &first.fields.at[at], b = &other.schema.fields.at[at];
                same = same && .same(said(a.name), said(b.name)) && .same(said(a.format), said(b.format));
            }
            if (!same) {
                failSchema("", join("input `", said(other.name), "` has other columns than `", said(inputs[0].name), "`"));
                return null;
            }
        }
        return first;
    }

    /// A way out, `out` where there is only one; at most 8.
    bool port(string name, ref const Schema schema) const {
        if (portsLength == ports.length) return failInternal("more than 8 ports");
        ports[portsLength++] = Input(Text(name), schema);
        return true;
    }

    /// A way out, of fields of the stage's own.
    bool port(string name, scope const(Field)[] fields) const {
        auto lasting = allocate!Field(fields.length);
        foreach (i, ref field; fields) lasting[i] = field;
        const schema = Schema(List!Field(lasting));
        return port(name, schema);
    }
}

__gshared Input[8] ports;
__gshared size_t portsLength;
