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

    ref const(Field) opIndex(uint column) const {
        size_t at;
        foreach (i; 0 .. column) at = after(at);
        return fields.at[at];
    }

    /// The index of a column of one of the formats in a list such as "lg": `l` int64, `g` float64, `u` utf8 …
    bool find(string name, string formats, out uint index, string pointer = "") const {
        uint column;
        for (size_t at; at < fields.length; at = after(at), column++) {
            const field = &fields.at[at];
            if (!same(said(field.name), name)) continue;
            foreach (format; formats)
                if (field.format.length == 1 && field.format.at[0] == format && !(field.flags & Field.dictionaryEncoded)) {
                    index = column;
                    return true;
                }
            return failSchema(name, join("expected a type of format ", formats, ", found ", said(field.format)));
        }
        return failConfig(pointer, join("there is no column `", name, "`"));
    }
}

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
                failSchema(said(other.name), join("this input has other columns than `", said(inputs[0].name), "`"));
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
