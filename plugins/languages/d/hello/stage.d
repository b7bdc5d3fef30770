import parshall;

struct Hello {
    enum description = Description("hello", "0.1.0", "Doubles the column `n`");
    struct Config {}
    uint n;

    bool open(ref const Config config, ref const Opening opening) {
        const schema = opening.sameSchema;
        return schema && schema.find("n", "l", n) && opening.port("out", *schema);
    }

    bool process(ref Frame frame) {
        if (!frame.read(n)) return false;
        auto column = frame.numbers!long;
        foreach (ref value; column.values) value *= 2;
        Output.by(0).replace(n, column);
        return true;
    }
}
mixin Transform!Hello;
