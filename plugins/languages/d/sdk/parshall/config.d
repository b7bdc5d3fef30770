/// The configuration: a JSON object as a struct, each setting by itself, so that what is wrong is told where it is.
module parshall.config;

import parshall.errors;
import parshall.memory;

/// Of a field of a stage's Config: without it there is no default.
enum required;

/// Fields may be string, double, bool, and enums, whose members are the words that may stand there.
bool readConfig(Config)(string text, out Config config) {
    auto json = Json(text);
    bool[Config.tupleof.length + 1] seen;
    string name;
    while (json.next(name)) {
        bool known;
        static foreach (i, field; Config.tupleof) {
            if (!known && same(name, __traits(identifier, field))) {
                known = true;
                seen[i] = true;
                if (!readSetting(json, pointerOf(name), config.tupleof[i])) return false;
            }
        }
        if (!known) return failConfig(pointerOf(name), "there is no such setting");
    }
    static foreach (i, field; Config.tupleof) {
        static foreach (attribute; __traits(getAttributes, field))
            static if (is(attribute == required))
                if (!seen[i]) return failConfig("", "`" ~ __traits(identifier, field) ~ "` is missing");
    }
    return true;
}

private bool readSetting(T)(ref Json json, string pointer, ref T setting) {
    const value = json.value();
    static if (is(T == enum)) {
        if (value.kind == Json.Kind.string) {
            static foreach (word; __traits(allMembers, T))
                if (same(value.text, word)) {
                    setting = __traits(getMember, T, word);
                    return true;
                }
        }
        string words = "expected one of";
        static foreach (word; __traits(allMembers, T)) words = join(words, " `", word, "`");
        return failConfig(pointer, words);
    } else static if (is(T == string)) {
        setting = value.text;
        return value.kind == Json.Kind.string || failConfig(pointer, "expected a string");
    } else static if (is(T == double)) {
        setting = value.number;
        return value.kind == Json.Kind.number || failConfig(pointer, "expected a number");
    } else static if (is(T == bool)) {
        setting = value.text.length == 4;
        return value.kind == Json.Kind.flag || failConfig(pointer, "expected true or false");
    } else {
        static assert(false, "a setting is a string, double, bool or enum");
    }
}

/// The way to a setting as a JSON Pointer.
private string pointerOf(string name) {
    auto pointer = allocate!char(2 * name.length + 1);
    pointer[0] = '/';
    size_t end = 1;
    foreach (c; name) {
        const escaped = c == '~' || c == '/';
        pointer[end++] = escaped ? '~' : c;
        if (escaped) pointer[end++] = c == '~' ? '0' : '1';
    }
    return cast(string) pointer[0 .. end];
}

/// The members of a JSON object that the host has found well-formed.
private struct Json {
    enum Kind { string, number, flag, other }
    struct Value {
        Kind kind;
        string text;
        double number = 0;
    }

    string text;
    size_t at;

    private char peek() const { return at < text.length ? text[at] : '\0'; }

    private void blank() {
        while (at < text.length && text[at] <= ' ') at++;
    }

    bool next(out string name) {
        blank();
        at++; // `{` or `,`
        blank();
        if (peek != '"') return false;
        name = quoted();
        blank();
        at++; // `:`
        return true;
    }

    Value value() {
        blank();
        const first = peek;
        if (first == '"') return Value(Kind.string, quoted());
        const from = at;
        if (first == '-' || (first >= '0' && first <= '9')) return Value(Kind.number, null, number());
        if (first == '{' || first == '[') nested();
        else while (peek >= 'a' && peek <= 'z') at++;
        return Value(first == 't' || first == 'f' ? Kind.flag : Kind.other, text[from .. at]);
    }

    private void nested() {
        int depth;
        do {
            if (peek == '"') quoted();
            else {
                if (peek == '{' || peek == '[') depth++;
                if (peek == '}' || peek == ']') depth--;
                at++;
            }
        } while (depth > 0);
    }

    private string quoted() {
        auto said = allocate!char(text.length - at);
        size_t end;
        for (at++; peek != '"'; at++) {
            if (peek != '\\') {
                said[end++] = peek;
                continue;
            }
            at++;
            switch (peek) {
                case 'n': said[end++] = '\n'; break;
                case 't': said[end++] = '\t'; break;
                case 'r': said[end++] = '\r'; break;
                case 'b': said[end++] = '\b'; break;
                case 'f': said[end++] = '\f'; break;
                case 'u': end = utf8(said, end, codePoint()); break;
                default: said[end++] = peek;
            }
        }
        at++;
        return cast(string) said[0 .. end];
    }

    /// Of `uXXXX`, or of two of them that are one.
    private uint codePoint() {
        uint code = hex();
        if (code >= 0xd800 && code < 0xdc00 && at + 2 < text.length && text[at + 1] == '\\') {
            at += 2;
            code = 0x10000 + ((code - 0xd800) << 10) + (hex() - 0xdc00);
        }
        return code;
    }

    private uint hex() {
        uint value;
        foreach (i; 1 .. 5) {
            const c = text[at + i];
            value = value << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        }
        at += 4;
        return value;
    }

    private static size_t utf8(char[] to, size_t end, uint c) {
        if (c < 0x80) to[end++] = cast(char) c;
        else {
            if (c < 0x800) to[end++] = cast(char)(0xc0 | c >> 6);
            else {
                if (c < 0x10000) to[end++] = cast(char)(0xe0 | c >> 12);
                else {
                    to[end++] = cast(char)(0xf0 | c >> 18);
                    to[end++] = cast(char)(0x80 | (c >> 12 & 63));
                }
                to[end++] = cast(char)(0x80 | (c >> 6 & 63));
            }
            to[end++] = cast(char)(0x80 | (c & 63));
        }
        return end;
    }

    private double number() {
        const negative = peek == '-';
        if (negative) at++;
        ulong digits;
        int exponent;
        bool fraction;
        for (; (peek >= '0' && peek <= '9') || peek == '.'; at++) {
            if (peek == '.') {
                fraction = true;
                continue;
            }
            const fits = digits < 922_337_203_685_477_580;
            if (fits) digits = digits * 10 + (peek - '0');
            exponent += fraction ? (fits ? -1 : 0) : (fits ? 0 : 1);
        }
        if ((peek | 32) == 'e') {
            at++;
            const below = peek == '-';
            if (peek == '-' || peek == '+') at++;
            int written;
            for (; peek >= '0' && peek <= '9'; at++) if (written < 10_000) written = written * 10 + (peek - '0');
            exponent += below ? -written : written;
        }
        const value = decimal(digits, exponent);
        return negative ? -value : value;
    }
}

/// A number and what it lacks of the exact value: twice the digits, so that what is rounded at last is rounded once.
private struct Exact {
    double high, low;

    Exact opBinary(string op : "*")(Exact b) const {
        enum double split = 134_217_729; // 2^27 + 1 (Veltkamp)
        const product = high * b.high;
        const aHigh = high * split - (high * split - high), bHigh = b.high * split - (b.high * split - b.high);
        const aLow = high - aHigh, bLow = b.high - bHigh;
        const rest = ((aHigh * bHigh - product) + aHigh * bLow + aLow * bHigh) + aLow * bLow + (high * b.low + low * b.high);
        const sum = product + rest;
        return Exact(sum, rest - (sum - product));
    }
}

/// digits × 10^exponent. Exact to the last bit but for the far ends of the range, where it may be the neighbour.
private double decimal(ulong digits, int exponent) {
    if (!digits || exponent < -350) return 0;
    if (exponent > 308) return double.infinity;
    const high = cast(double) digits;
    const value = Exact(high, high < 9_007_199_254_740_992.0 ? 0 : cast(double) cast(long)(digits - cast(ulong) high));
    auto power = Exact(1, 0), base = Exact(10, 0);
    for (uint left = exponent < 0 ? -exponent : exponent; left; left >>= 1) {
        if (left & 1) power = power * base;
        if (left > 1) base = base * base;
    }
    if (exponent >= 0) {
        const product = value * power;
        return product.high != product.high ? value.high * power.high : product.high;
    }
    const quotient = value.high / power.high;
    const back = Exact(quotient, 0) * power;
    return quotient + ((value.high - back.high) - back.low + value.low) / power.high;
}
