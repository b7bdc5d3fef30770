/// What comes in: batches that the host holds, and columns of them that were read.
module parshall.frame;

import ldc.attributes : llvmAttr;
import parshall.errors;
import parshall.layout;
import parshall.memory;

struct Node {
    ulong length, nulls;
    uint variadic;
}

struct Arrays {
    List!Node nodes;
    List!(List!ubyte) buffers;
}

private struct ReadResult {
    struct Refused { ubyte tag; ulong limit; }
    ubyte failed;
    union { Arrays arrays; Refused refused; }
}

private extern (C) {
    @llvmAttr("wasm-import-module", "parshall:stage/frames@0.1.0") @llvmAttr("wasm-import-name", "[method]frame.read")
    void parshall_read(uint frame, const(uint)* columns, size_t count, ReadResult* result);
    @llvmAttr("wasm-import-module", "parshall:stage/frames@0.1.0") @llvmAttr("wasm-import-name", "[resource-drop]frame")
    void parshall_drop(uint frame);
}

/// The rows that are not null: one bit a row, no bits where no row is null.
struct Validity {
    const(ubyte)* bits;
    ulong nulls;
    size_t rows = size_t.max; // known of a column that was read

    /// Whether a row is not null. A row that there is not ends the instance.
    bool opIndex(size_t row) const {
        if (row >= rows) outOfBounds(row, rows);
        return !bits || (bits[row >> 3] >> (row & 7) & 1);
    }
}

/// A column of numbers. What was read is the stage's own, to be worked on in place.
struct Column(T) {
    T[] values;
    Validity validity;
}

/// A column of strings.
struct Texts {
    const(int)[] offsets;
    const(char)* bytes;
    Validity validity;

    /// The string of a row. A row that there is not ends the instance.
    const(char)[] opIndex(size_t row) const {
        if (row + 1 >= offsets.length) outOfBounds(row, offsets.length - 1);
        return bytes[offsets.ptr[row] .. offsets.ptr[row + 1]];
    }
}

private noreturn outOfBounds(size_t row, size_t rows) {
    panic(join("row ", decimal(cast(uint) row), " is out of bounds: there are ", decimal(cast(uint) rows)));
}

/// A batch that the host holds.
struct Frame {
    uint handle, input;
    size_t rows;

    private const(Node)[] nodes;
    private const(List!ubyte)[] buffers;

    /// Copies columns in, in one crossing; then take them in the order in which they were asked for.
    bool read(scope const(uint)[] columns...) {
        ReadResult result;
        parshall_read(handle, columns.ptr, columns.length, &result);
        if (result.failed) return failData("the columns exceed the limit `read_bytes`");
        nodes = result.arrays.nodes[];
        buffers = result.arrays.buffers[];
        return true;
    }

    /// The next column, whose values are of type T.
    Column!T numbers(T)() {
        const node = nextNode, validity = nextValidity(node);
        return Column!T(values!T(nextBuffer, cast(size_t) node.length), validity);
    }

    /// The next column, of strings.
    Texts texts() {
        const node = nextNode, validity = nextValidity(node);
        const offsets = node.length ? values!int(nextBuffer, cast(size_t) node.length + 1) : (cast(int*) nextBuffer.at)[0 .. 1];
        return Texts(offsets, cast(const(char)*) nextBuffer.at, validity);
    }

    private static T[] values(T)(const List!ubyte buffer, size_t count) {
        if (buffer.length < count * T.sizeof) panic("a column was read as what it is not: texts have offsets and bytes, numbers so many bytes a value");
        return (cast(T*) buffer.at)[0 .. count];
    }

    private const(Node) nextNode() {
        const node = nodes[0];
        nodes = nodes[1 .. $];
        return node;
    }

    private const(List!ubyte) nextBuffer() {
        const buffer = buffers[0];
        buffers = buffers[1 .. $];
        return buffer;
    }

    private Validity nextValidity(ref const Node node) {
        const bits = nextBuffer;
        return Validity(bits.length ? bits.at : null, node.nulls, cast(size_t) node.length);
    }

    /// Gives it back to the host.
    package void drop() { parshall_drop(handle); }
}
