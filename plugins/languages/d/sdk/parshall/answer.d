/// What goes out: batches, and rows that are refused.
module parshall.answer;

import parshall.errors;
import parshall.frame;
import parshall.layout;
import parshall.memory;

private struct Rows {
    ubyte tag;
    union { List!ubyte bitmap; List!uint indices; ulong fresh; }
}

private struct Source {
    ubyte made;
    uint input;
}

private struct RawOutput {
    uint port;
    Rows rows;
    ubyte each;
    List!Source sources;
    Arrays made;
}

private struct Rejection {
    uint row;
    Text reason;
}

struct Answer {
    List!RawOutput outputs;
    List!Rejection rejections;
}

private enum mostOutputs = 16, mostMade = 64;

package __gshared Answer reply;
package __gshared uint width;
private __gshared RawOutput* outputs;
private __gshared Rejection[] rejections;

package void forgetAnswer() {
    reply = Answer.init;
    outputs = null;
    rejections = null;
}

/// Refuses a row; it must be among the rows of no output.
void reject(size_t row, string reason) {
    if (reply.rejections.length == rejections.length) {
        auto more = allocate!Rejection(rejections.length ? 2 * rejections.length : 64);
        copyTo(more.ptr, rejections.ptr, rejections.length * Rejection.sizeof);
        rejections = more;
        reply.rejections.at = more.ptr;
    }
    rejections[reply.rejections.length++] = Rejection(cast(uint) row, Text(reason));
}

/// One batch that leaves: every row and every column of the input, until told otherwise. At most 16 a call, and 64 made columns each.
struct Output {
    private RawOutput* raw;

    static Output by(uint port = 0) {
        if (!outputs) reply.outputs.at = outputs = allocate!RawOutput(mostOutputs).ptr;
        if (reply.outputs.length == mostOutputs) panic("more than 16 outputs in one call");
        auto raw = &outputs[reply.outputs.length++];
        *raw = RawOutput.init;
        raw.port = port;
        raw.made.nodes.at = allocate!Node(mostMade).ptr;
        raw.made.buffers.at = allocate!(List!ubyte)(3 * mostMade).ptr;
        return Output(raw);
    }

    /// Only the rows whose bit is set; every made column has a value for each of those.
    void keep(const(ubyte)* bits, size_t rows) {
        raw.rows.tag = 1;
        raw.rows.bitmap = List!ubyte(bits[0 .. (rows + 7) / 8]);
    }

    /// Rows that are not rows of the input: every column is added, in order.
    void fresh(size_t rows) {
        raw.rows.tag = 3;
        raw.rows.fresh = rows;
        raw.each = 1;
        raw.sources.at = allocate!Source(mostMade).ptr;
    }

    /// A column instead of the input's.
    void replace(C)(uint index, C column) {
        if (!raw.each) {
            raw.each = 1;
            auto sources = allocate!Source(width);
            foreach (input, ref source; sources) source = Source(0, cast(uint) input);
            raw.sources = List!Source(sources);
        }
        if (index >= width) panic(join("there is no column ", decimal(index)));
        (cast(Source*) raw.sources.at)[index].made = 1;
        make(column);
    }

    /// The next column of fresh rows.
    void add(C)(C column) {
        if (raw.sources.length >= mostMade) panic("more than 64 made columns in one output");
        (cast(Source*) raw.sources.at)[raw.sources.length++] = Source(1);
        make(column);
    }

    private void make(T)(Column!T column) {
        begin(column.values.length, column.validity);
        buffer(column.values.ptr, column.values.length * T.sizeof);
    }

    private void make(Texts column) {
        begin(column.offsets.length - 1, column.validity);
        buffer(column.offsets.ptr, column.offsets.length * 4);
        buffer(column.bytes, column.offsets[$ - 1]);
    }

    private void begin(size_t length, Validity validity) {
        if (raw.made.nodes.length == mostMade) panic("more than 64 made columns in one output");
        (cast(Node*) raw.made.nodes.at)[raw.made.nodes.length++] = Node(length, validity.nulls);
        buffer(validity.bits, validity.nulls ? (length + 7) / 8 : 0);
    }

    private void buffer(const(void)* at, size_t bytes) {
        (cast(List!ubyte*) raw.made.buffers.at)[raw.made.buffers.length++] = List!ubyte((cast(const(ubyte)*) at)[0 .. bytes]);
    }
}
