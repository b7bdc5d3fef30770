/// The reference stage `scale`: one column times a factor; all others stay where they are.
module stage;

import parshall;

struct Scale {
    enum Description description = {
        name: "scale-d",
        version_: "0.1.0",
        summary: "Multiplies an int64 or float64 column by a factor",
        configSchema: `{"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
            "column": {"type": "string", "description": "An int64 or float64 column"},
            "factor": {"type": "number", "default": 2, "description": "A whole number for int64, whose products wrap"},
            "nulls": {"enum": ["keep", "reject"], "default": "keep"}}}`,
    };

    enum Nulls { keep, reject }
    struct Config {
        @required string column;
        double factor = 2;
        Nulls nulls;
    }

    uint column;
    double factor;
    bool whole, rejects;
    string reason;

    bool open(ref const Config config, ref const Opening opening) {
        const schema = opening.sameSchema;
        if (!schema || !schema.find(config.column, "lg", column, "/column")) return false;
        whole = (*schema)[column].format.at[0] == 'l';
        factor = config.factor;
        if (whole && !(factor >= -0x1p63 && factor < 0x1p63 && cast(double) cast(long) factor == factor))
            return failConfig("/factor", "an int64 column wants a whole number");
        rejects = config.nulls == Nulls.reject;
        reason = kept(join("`", config.column, "` is null"));
        return opening.port("out", *schema);
    }

    bool process(ref Frame frame) {
        if (!frame.read(column)) return false;
        if (whole) scale(frame.numbers!long, cast(long) factor);
        else scale(frame.numbers!double, factor);
        return true;
    }

    void scale(T)(Column!T read, T by) {
        auto output = Output.by(0);
        if (rejects && read.validity.nulls) {
            output.keep(read.validity.bits, read.values.length);
            read = withoutNulls(read);
        }
        // In place: what was read is the stage's own.
        foreach (ref value; read.values) value *= by;
        output.replace(column, read);
    }

    /// Values of the rows that are not null move to the front; the others are refused.
    Column!T withoutNulls(T)(Column!T read) {
        size_t valid;
        foreach (row, value; read.values) {
            if (read.validity[row]) read.values[valid++] = value;
            else reject(row, reason);
        }
        return Column!T(read.values[0 .. valid]);
    }
}
mixin Transform!Scale;
