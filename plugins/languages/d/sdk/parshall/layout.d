/// Strings and lists as the contract lays them: where they begin, then how many there are.
module parshall.layout;

struct List(T) {
    const(T)* at;
    size_t length;

    this(const(T)[] values) {
        at = values.ptr;
        length = values.length;
    }
    const(T)[] opIndex() const { return at[0 .. length]; }
}

alias Text = List!char;

string said(ref const Text text) { return cast(string) text.at[0 .. text.length]; }
