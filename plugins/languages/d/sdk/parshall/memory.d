/// Memory: of a call, and for as long as the instance lives. Both are cut from chunks of linear memory.
module parshall.memory;

import ldc.intrinsics : llvm_memcpy, llvm_memset, llvm_trap;

pragma(LDC_intrinsic, "llvm.wasm.memory.grow.i32") private int grow(int memory, int pages);

private struct Chunk {
    Chunk* next;
    size_t size, used, pad;
}

private __gshared Chunk* ofCall, ofInstance;

private void* cut(ref Chunk* chunks, size_t size) {
    size = (size + 15) & ~size_t(15);
    auto chunk = chunks;
    while (chunk && chunk.size - chunk.used < size) chunk = chunk.next;
    if (!chunk) {
        const pages = (size + Chunk.sizeof + 0xffff) >> 16;
        const before = grow(0, cast(int) pages);
        if (before == -1) llvm_trap();
        chunk = cast(Chunk*)(size_t(before) << 16);
        *chunk = Chunk(chunks, pages << 16, Chunk.sizeof);
        chunks = chunk;
    }
    auto at = cast(ubyte*) chunk + chunk.used;
    chunk.used += size;
    return at;
}

private T[] values(T)(void* at, size_t count) { return (cast(T*) at)[0 .. count]; }

/// Room until the call has returned; what is in it is not said.
T[] allocate(T)(size_t count) { return values!T(cut(ofCall, count * T.sizeof), count); }

/// Room for as long as the instance lives; it is never given back.
T[] keep(T)(size_t count) { return values!T(cut(ofInstance, count * T.sizeof), count); }

/// A copy for as long as the instance lives.
string kept(scope const(char)[] text) {
    auto copy = keep!char(text.length);
    copyTo(copy.ptr, text.ptr, text.length);
    return cast(string) copy;
}

void copyTo(void* to, const(void)* from, size_t bytes) {
    if (bytes) llvm_memcpy!size_t(to, from, bytes, false);
}

void zero(T)(T[] values) {
    if (values.length) llvm_memset!size_t(values.ptr, 0, values.length * T.sizeof, false);
}

/// Texts as one, until the call has returned.
string join(Parts...)(Parts parts) {
    size_t length;
    foreach (part; parts) length += part.length;
    auto joined = allocate!char(length);
    size_t end;
    foreach (part; parts) {
        copyTo(joined.ptr + end, part.ptr, part.length);
        end += part.length;
    }
    return cast(string) joined;
}

/// A number as it is written, until the call has returned.
string decimal(uint number) {
    auto digits = allocate!char(10);
    size_t at = digits.length;
    do {
        digits[--at] = cast(char)('0' + number % 10);
        number /= 10;
    } while (number);
    return cast(string) digits[at .. $];
}

void callIsOver() {
    for (auto chunk = ofCall; chunk; chunk = chunk.next) chunk.used = Chunk.sizeof;
}

/// `==` on slices would want the runtime.
bool same(scope const(char)[] a, scope const(char)[] b) {
    if (a.length != b.length) return false;
    foreach (i; 0 .. a.length) if (a.ptr[i] != b.ptr[i]) return false;
    return true;
}

/// What the host copies in lands here.
void* reallocate(void* old, size_t oldSize, size_t alignment, size_t size) {
    auto at = cut(ofCall, size);
    copyTo(at, old, oldSize < size ? oldSize : size);
    return at;
}
