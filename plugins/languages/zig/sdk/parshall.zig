//! Everything that a stage in Zig needs. A transform is a struct type with
//!
//!     pub const description: parshall.Description
//!     pub const Config: type                                          fields without a default must be there
//!     pub fn open(self: *Stage, config: Config, opening: *const Opening) !void
//!     pub fn process(self: *Stage, frame: *const Frame, answer: *Answer) !void
//!     pub fn finish(self: *Stage, answer: *Answer) !bool              if it holds something back
//!     pub fn snapshot(self: *Stage, allocator) ![]const u8            if it remembers
//!
//! and becomes the component's stage with `comptime { parshall.transform(Stage); }`. With `pub const panic = parshall.panic;` beside it,
//! the host tells why a stage panicked: an index out of bounds, an overflow, an `unreachable` that was reached.
//!
//! Memory: `call_memory` gives what lives until the call has returned (columns that were read live as long), `kept_memory`
//! what lives as long as the instance. The configuration and the inputs live until `open` has returned.

const std = @import("std");

pub const Allocator = std.mem.Allocator;

// === values, as the contract lays them out ===

/// A list as the canonical ABI has it: address and length.
fn List(comptime T: type) type {
    return extern struct {
        at: ?[*]const T = null,
        len: usize = 0,

        const Self = @This();
        pub fn of(items: []const T) Self {
            // The address of nothing is none at all.
            return .{ .at = if (items.len == 0) null else items.ptr, .len = items.len };
        }
        pub fn slice(self: Self) []const T {
            return if (self.len == 0) &.{} else self.at.?[0..self.len];
        }
    };
}

const Text = List(u8);
const Pair = extern struct { key: Text, value: Text };

pub const nullable: u8 = 1;
const dictionary_encoded: u8 = 8;

/// One field of a schema; nested ones stand depth-first. `format` is that of the Arrow C data interface.
pub const Field = extern struct {
    name: Text,
    format: Text,
    flags: u8 = 0,
    children: u32 = 0,
    metadata: List(Pair) = .{},

    pub fn init(name: []const u8, format: []const u8, flags: u8) Field {
        return .{ .name = .of(name), .format = .of(format), .flags = flags };
    }
};

pub const Schema = extern struct {
    fields: List(Field),
    metadata: List(Pair) = .{},

    pub fn init(fields: []const Field) Schema {
        return .{ .fields = .of(fields) };
    }

    /// The index in `fields` of what follows a field and its children.
    fn after(self: Schema, at: usize) usize {
        const field = self.fields.slice()[at];
        var next = at + 1;
        if (field.flags & dictionary_encoded != 0) next = self.after(next);
        for (0..field.children) |_| next = self.after(next);
        return next;
    }

    pub fn columns(self: Schema) u32 {
        var count: u32 = 0;
        var at: usize = 0;
        while (at < self.fields.len) : (at = self.after(at)) count += 1;
        return count;
    }

    /// The index of a column whose format is one of these letters, and the letter. What is wrong with the name stands at
    /// `pointer` in the configuration; where that is "", it is told of the column.
    pub fn column(self: Schema, name: []const u8, formats: []const u8, pointer: []const u8) !struct { u32, u8 } {
        var index: u32 = 0;
        var at: usize = 0;
        while (at < self.fields.len) : ({
            at = self.after(at);
            index += 1;
        }) {
            const field = self.fields.slice()[at];
            if (!std.mem.eql(u8, field.name.slice(), name)) continue;
            const format = field.format.slice();
            const dictionary = field.flags & dictionary_encoded != 0;
            if (format.len == 1 and !dictionary and std.mem.indexOfScalar(u8, formats, format[0]) != null)
                return .{ index, format[0] };
            // The values of a dictionary follow its keys.
            const found = typeName(if (dictionary) self.fields.slice()[at + 1].format.slice() else format);
            return failSchema(name, "expected {s}, found {s}{s}", .{ try expectedTypes(formats), if (dictionary) "a dictionary of " else "", found });
        }
        const names = try self.columnNames();
        if (pointer.len == 0) return failSchema(name, "there is no such column; {s}", .{names});
        const failed = failConfig(pointer, "there is no column `{s}`", .{name});
        failure.value.config.help = .{ .some = 1, .value = .of(names) };
        return failed;
    }

    /// The columns that there are, of many only the first.
    fn columnNames(self: Schema) ![]const u8 {
        if (self.fields.len == 0) return "the input has no columns";
        var said: std.ArrayList(u8) = .empty;
        try said.appendSlice(call_memory, "the columns are `");
        var index: usize = 0;
        var at: usize = 0;
        while (at < self.fields.len and index < most_named) : ({
            at = self.after(at);
            index += 1;
        }) {
            if (index > 0) try said.appendSlice(call_memory, "`, `");
            try said.appendSlice(call_memory, self.fields.slice()[at].name.slice());
        }
        try said.append(call_memory, '`');
        const more = self.columns() - index;
        if (more > 0) try said.appendSlice(call_memory, try std.fmt.allocPrint(call_memory, " and {d} more", .{more}));
        return said.items;
    }
};

const most_named = 20;

/// A type as a person reads it, with its letter: `int64 (l)`.
pub fn typeName(format: []const u8) []const u8 {
    const letters = std.mem.sliceTo(format, ':');
    var pairs = std.mem.tokenizeScalar(u8, type_names, ' ');
    while (pairs.next()) |key| {
        const name = pairs.next().?;
        if (std.mem.eql(u8, key, letters)) return say("{s} ({s})", .{ name, format }).slice();
    }
    return say("a type of the format `{s}`", .{format}).slice();
}

/// `int64 (l) or float64 (g)`, of a list such as "lg".
fn expectedTypes(formats: []const u8) ![]const u8 {
    var said: []const u8 = "";
    for (formats, 0..) |_, at| said = try std.mem.concat(call_memory, u8, &.{ said, if (at > 0) " or " else "", typeName(formats[at .. at + 1]) });
    return said;
}

/// Words for the letters of the Arrow C data interface; what stands behind a colon is a parameter.
const type_names = "n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64 " ++
    "z binary Z large_binary vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64 " ++
    "tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns] " ++
    "tiM interval[year_month] tiD interval[day_time] tin interval[month_day_nano] " ++
    "tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary " ++
    "+l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union";

pub const Input = extern struct { name: Text, schema: Schema };

pub const Opening = struct {
    inputs: []const Input,
    restore: ?[]const u8,

    /// The schema that all inputs have.
    pub fn sameSchema(self: *const Opening) !Schema {
        if (self.inputs.len == 0) return failConfig("", "the stage has no input", .{});
        const first = self.inputs[0].schema.fields.slice();
        for (self.inputs[1..]) |other| {
            const theirs = other.schema.fields.slice();
            var same = theirs.len == first.len;
            if (same) for (first, theirs) |a, b| {
                same = same and std.mem.eql(u8, a.name.slice(), b.name.slice()) and std.mem.eql(u8, a.format.slice(), b.format.slice());
            };
            if (!same) return failSchema("", "input `{s}` has other columns than `{s}`", .{ other.name.slice(), self.inputs[0].name.slice() });
        }
        return self.inputs[0].schema;
    }

    /// A way out: `out`, where there is only one.
    pub fn port(_: *const Opening, name: []const u8, schema: Schema) !void {
        try ports.append(call_memory, .{ .name = .of(name), .schema = schema });
    }
};

pub const Description = struct {
    name: []const u8,
    version: []const u8,
    summary: []const u8,
    documentation: []const u8 = "",
    /// Without one, it is that of a stage without settings, or of any where `Config` has fields.
    config_schema: ?[]const u8 = null,
};

/// Tells the host why the stage panicked: `pub const panic = parshall.panic;` in `stage.zig`.
pub const panic = std.debug.FullPanic(leaveWords);

/// The host finds the text in memory, after the mark `parshall:trapped`, which is put together only here.
fn leaveWords(message: []const u8, _: ?usize) noreturn {
    const Words = extern struct { mark: [2]u64 align(8), at: [*]const u8, len: usize };
    const words: *volatile Words = &(struct {
        var left: Words = undefined;
    }).left;
    words.mark[0] = 0x6c6c616873726170;
    words.mark[1] = 0x646570706172743a;
    words.at = message.ptr;
    words.len = message.len;
    @trap();
}

// === memory ===

var call_arena = std.heap.ArenaAllocator.init(std.heap.wasm_allocator);
/// Lives until the call has returned.
pub const call_memory = call_arena.allocator();
/// Lives as long as the instance.
pub const kept_memory = std.heap.wasm_allocator;

fn reallocate(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
    _ = alignment;
    // Not by `alloc`, which fills what it gives where checks are on.
    const words = call_memory.rawAlloc(@max(size, 1), .@"16", @returnAddress()) orelse @panic("out of memory");
    if (old) |from| @memcpy(words[0..@min(old_size, size)], from[0..@min(old_size, size)]);
    return words;
}

fn over() void {
    ports = .empty;
    _ = call_arena.reset(.retain_capacity);
}

// === errors: a stage returns `fail…(…)` ===

fn Maybe(comptime T: type) type {
    return extern struct { some: u8 = 0, value: T = undefined };
}

const StageError = extern struct {
    tag: u8,
    value: extern union {
        config: extern struct { pointer: Text, offset: Maybe(u32) = .{}, message: Text, help: Maybe(Text) = .{} },
        schema: extern struct { column: Maybe(Text), message: Text },
        message: Text,
    },
};

var failure: StageError = undefined;

pub const Failed = error{ Stage, OutOfMemory };

fn say(comptime format: []const u8, arguments: anytype) Text {
    return .of(std.fmt.allocPrint(call_memory, format, arguments) catch "out of memory");
}

/// The configuration is wrong, at a JSON Pointer such as `/column`.
pub fn failConfig(pointer: []const u8, comptime format: []const u8, arguments: anytype) Failed {
    failure = .{ .tag = 0, .value = .{ .config = .{ .pointer = say("{s}", .{pointer}), .message = say(format, arguments) } } };
    return error.Stage;
}

/// A column does not fit; without a name, it is the whole schema.
pub fn failSchema(column: []const u8, comptime format: []const u8, arguments: anytype) Failed {
    failure = .{ .tag = 1, .value = .{ .schema = .{ .column = .{ .some = @intFromBool(column.len > 0), .value = say("{s}", .{column}) }, .message = say(format, arguments) } } };
    return error.Stage;
}

/// The data is wrong, and no single row can be rejected for it.
pub fn failData(comptime format: []const u8, arguments: anytype) Failed {
    failure = .{ .tag = 2, .value = .{ .message = say(format, arguments) } };
    return error.Stage;
}

/// A defect of the stage itself.
pub fn failInternal(comptime format: []const u8, arguments: anytype) Failed {
    failure = .{ .tag = 4, .value = .{ .message = say(format, arguments) } };
    return error.Stage;
}

// === configuration ===

/// Each setting by itself, so that what is wrong is told where it is.
fn readConfig(comptime Config: type, text: []const u8) !Config {
    const parsed = std.json.parseFromSliceLeaky(std.json.Value, call_memory, text, .{}) catch
        return failConfig("", "the configuration is no JSON", .{});
    var config: Config = undefined;
    const fields = @typeInfo(Config).@"struct";
    inline for (fields.field_names, fields.field_types, fields.field_attrs) |name, T, attributes| {
        if (parsed.object.get(name)) |value| {
            @field(config, name) = std.json.parseFromValueLeaky(T, call_memory, value, .{}) catch
                return failConfig("/" ++ name, "expected {s}", .{comptime expected(T)});
        } else if (attributes.defaultValue(T)) |default| {
            @field(config, name) = default;
        } else {
            return failConfig("", "`{s}` is missing", .{name});
        }
    }
    var settings = parsed.object.iterator();
    next: while (settings.next()) |setting| {
        inline for (fields.field_names) |name| if (std.mem.eql(u8, name, setting.key_ptr.*)) continue :next;
        const tildes = try std.mem.replaceOwned(u8, call_memory, setting.key_ptr.*, "~", "~0");
        const pointer = try std.mem.replaceOwned(u8, call_memory, tildes, "/", "~1");
        return failConfig(try std.mem.concat(call_memory, u8, &.{ "/", pointer }), "there is no such setting", .{});
    }
    return config;
}

fn expected(comptime T: type) []const u8 {
    return switch (@typeInfo(T)) {
        .optional => |optional| expected(optional.child),
        .int => "a whole number",
        .float => "a number",
        .bool => "true or false",
        .pointer => "a string",
        .@"enum" => |info| blk: {
            comptime var words: []const u8 = "one of";
            inline for (info.field_names) |name| words = words ++ " `" ++ name ++ "`";
            break :blk words;
        },
        else => @typeName(T),
    };
}

// === reading ===

const Node = extern struct { length: u64, null_count: u64, variadic: u32 = 0 };
const Arrays = extern struct { nodes: List(Node) = .{}, buffers: List(Text) = .{} };

const ReadResult = extern struct {
    failed: u8,
    value: extern union { arrays: Arrays, refused: extern struct { tag: u8, limit: u64 } },
};

const frames = struct {
    extern "parshall:stage/frames@0.1.0" fn @"[method]frame.read"(frame: u32, columns: [*]const u32, count: usize, result: *ReadResult) void;
    extern "parshall:stage/frames@0.1.0" fn @"[resource-drop]frame"(frame: u32) void;
};

/// The rows that are not null: one bit a row, none at all where no row is null.
pub const Validity = struct {
    bits: ?[]const u8 = null,
    nulls: u64 = 0,
    /// Known of a column that was read.
    rows: usize = std.math.maxInt(usize),

    /// Whether a row is not null. A row that there is not is a panic.
    pub fn valid(self: Validity, row: usize) bool {
        if (row >= self.rows) std.debug.panic("row {d} is out of bounds: there are {d}", .{ row, self.rows });
        const bits = self.bits orelse return true;
        return bits[row >> 3] >> @intCast(row & 7) & 1 != 0;
    }
};

/// A column of numbers. What was read is the stage's own, to be worked on in place.
pub fn Column(comptime T: type) type {
    return struct { values: []T, validity: Validity = .{} };
}

/// A column of strings.
pub const Texts = struct {
    offsets: []const i32,
    bytes: []const u8,
    validity: Validity = .{},

    /// The string of a row. A row that there is not is a panic.
    pub fn at(self: Texts, row: usize) []const u8 {
        return self.bytes[@intCast(self.offsets[row])..@intCast(self.offsets[row + 1])];
    }
};

/// Columns that have crossed; take them in the order in which they were asked for.
pub const Read = struct {
    nodes: []const Node,
    buffers: []const Text,

    fn begin(self: *Read) struct { u64, Validity } {
        if (self.nodes.len == 0) @panic("a column more than was read");
        const node = self.nodes[0];
        self.nodes = self.nodes[1..];
        const bits = self.buffer();
        return .{ node.length, .{ .bits = if (bits.len == 0) null else bits, .nulls = node.null_count, .rows = @intCast(node.length) } };
    }

    fn buffer(self: *Read) []const u8 {
        if (self.buffers.len == 0) @panic("a column more than was read");
        const taken = self.buffers[0].slice();
        self.buffers = self.buffers[1..];
        return taken;
    }

    /// The next column, whose values are of type T.
    pub fn numbers(self: *Read, comptime T: type) Column(T) {
        const length, const validity = self.begin();
        return .{ .values = @constCast(cast(T, self.buffer(), length)), .validity = validity };
    }

    /// The next column, of strings.
    pub fn texts(self: *Read) Texts {
        const length, const validity = self.begin();
        return .{ .validity = validity, .offsets = cast(i32, self.buffer(), length + 1), .bytes = self.buffer() };
    }
};

/// What the host copied in lies aligned, because `reallocate` gives aligned memory.
fn cast(comptime T: type, bytes: []const u8, length: u64) []const T {
    if (length == 0) return &.{};
    if (bytes.len < length * @sizeOf(T)) @panic("a column was read as what it is not: texts have offsets and bytes, numbers so many bytes a value");
    return @as([*]const T, @ptrCast(@alignCast(bytes.ptr)))[0..@intCast(length)];
}

/// A batch that the host holds.
pub const Frame = struct {
    handle: u32,
    input: u32,
    rows: usize,

    /// Copies columns in, in one crossing.
    pub fn read(self: *const Frame, columns: []const u32) !Read {
        var result: ReadResult = undefined;
        frames.@"[method]frame.read"(self.handle, columns.ptr, columns.len, &result);
        if (result.failed != 0) return failData("the columns exceed the limit `read_bytes`", .{});
        return .{ .nodes = result.value.arrays.nodes.slice(), .buffers = result.value.arrays.buffers.slice() };
    }
};

// === answering ===

const Rows = extern struct {
    tag: u8 = 0,
    value: extern union { bitmap: Text, indices: List(u32), fresh: u64 } = .{ .fresh = 0 },
};
const Source = extern struct { made: u8 = 0, input: u32 = 0 };
const RawOutput = extern struct { port: u32, rows: Rows, each: u8, sources: List(Source), made: Arrays };
const Rejection = extern struct { row: u32, reason: Text };
const RawAnswer = extern struct { outputs: List(RawOutput), rejections: List(Rejection) };

/// One batch that leaves: every row and every column of the input, until told otherwise.
pub const Output = struct {
    port: u32 = 0,
    rows: Rows = .{},
    sources: ?std.ArrayList(Source) = null,
    nodes: std.ArrayList(Node) = .empty,
    buffers: std.ArrayList(Text) = .empty,

    /// Only the rows whose bit is set; every made column has a value for each of those.
    pub fn keep(self: *Output, bits: []const u8) void {
        self.rows = .{ .tag = 1, .value = .{ .bitmap = .of(bits) } };
    }

    /// Rows that are not rows of the input: every column is added, in order.
    pub fn fresh(self: *Output, count: usize) void {
        self.rows = .{ .tag = 3, .value = .{ .fresh = count } };
        self.sources = .empty;
    }

    /// A column instead of the input's.
    pub fn replace(self: *Output, index: u32, column: anytype) !void {
        if (self.sources == null) {
            self.sources = .empty;
            for (0..width) |input| try self.sources.?.append(call_memory, .{ .input = @intCast(input) });
        }
        self.sources.?.items[index].made = 1;
        try self.make(column);
    }

    /// The next column of fresh rows.
    pub fn add(self: *Output, column: anytype) !void {
        try self.sources.?.append(call_memory, .{ .made = 1 });
        try self.make(column);
    }

    fn make(self: *Output, column: anytype) !void {
        const validity: Validity = column.validity;
        const texts = @TypeOf(column) == Texts;
        const length = if (texts) column.offsets.len - 1 else column.values.len;
        try self.nodes.append(call_memory, .{ .length = length, .null_count = validity.nulls });
        try self.buffers.append(call_memory, if (validity.nulls > 0) .of(validity.bits.?) else .{});
        try self.buffers.append(call_memory, .of(std.mem.sliceAsBytes(if (texts) column.offsets else column.values)));
        if (texts) try self.buffers.append(call_memory, .of(column.bytes));
    }

    fn raw(self: *const Output) RawOutput {
        return .{
            .port = self.port,
            .rows = self.rows,
            .each = @intFromBool(self.sources != null),
            .sources = if (self.sources) |sources| .of(sources.items) else .{},
            .made = .{ .nodes = .of(self.nodes.items), .buffers = .of(self.buffers.items) },
        };
    }
};

/// What a call puts out and refuses.
pub const Answer = struct {
    outputs: std.ArrayList(*Output) = .empty,
    rejections: std.ArrayList(Rejection) = .empty,

    pub fn out(self: *Answer) !*Output {
        const output = try call_memory.create(Output);
        output.* = .{};
        try self.outputs.append(call_memory, output);
        return output;
    }

    /// Refuses a row, which must be among the rows of no output.
    pub fn reject(self: *Answer, row: usize, reason: []const u8) !void {
        try self.rejections.append(call_memory, .{ .row = @intCast(row), .reason = .of(reason) });
    }

    fn raw(self: *const Answer) !RawAnswer {
        const outputs = try call_memory.alloc(RawOutput, self.outputs.items.len);
        for (outputs, self.outputs.items) |*to, output| to.* = output.raw();
        return .{ .outputs = .of(outputs), .rejections = .of(self.rejections.items) };
    }
};

// === what the host calls ===

const RawDescription = extern struct { name: Text, version: Text, summary: Text, documentation: Text, config_schema: Text, stateful: u8 };

const Result = extern struct {
    failed: u8 = 0,
    value: extern union {
        ports: List(Input),
        bytes: Text,
        answer: RawAnswer,
        maybe: extern struct { some: u8, answer: RawAnswer },
        failure: StageError,
    } = undefined,
};

var returned: Result = .{};
var ports: std.ArrayList(Input) = .empty;
var width: u32 = 0;

fn end(outcome: Failed!void) *Result {
    returned.failed = 0;
    outcome catch |failed| {
        if (failed == error.OutOfMemory) failInternal("out of memory", .{}) catch {};
        returned = .{ .failed = 1, .value = .{ .failure = failure } };
    };
    return &returned;
}

/// Makes a struct type the transform that this component is.
pub fn transform(comptime Stage: type) void {
    const calls = struct {
        var stage: Stage = undefined;
        var said: RawDescription = undefined;

        fn describe() callconv(.c) *RawDescription {
            const d: Description = Stage.description;
            said = .{
                .name = .of(d.name),
                .version = .of(d.version),
                .summary = .of(d.summary),
                .documentation = .of(d.documentation),
                .config_schema = .of(d.config_schema orelse comptime if (@typeInfo(Stage.Config).@"struct".field_names.len == 0)
                    "{\"type\": \"object\", \"additionalProperties\": false}"
                else
                    "{\"type\": \"object\"}"),
                .stateful = @intFromBool(@hasDecl(Stage, "snapshot")),
            };
            return &said;
        }

        fn open(config: [*]const u8, config_len: usize, inputs: ?[*]const Input, inputs_len: usize, restores: u32, restore: ?[*]const u8, restore_len: usize) callconv(.c) *Result {
            return end(opened(config[0..config_len], .{
                .inputs = if (inputs_len == 0) &.{} else inputs.?[0..inputs_len],
                .restore = if (restores == 0) null else if (restore_len == 0) "" else restore.?[0..restore_len],
            }));
        }

        fn opened(text: []const u8, opening: Opening) Failed!void {
            width = if (opening.inputs.len == 0) 0 else opening.inputs[0].schema.columns();
            const config = try readConfig(Stage.Config, text);
            stage = .{};
            try stage.open(config, &opening);
            returned.value = .{ .ports = .of(ports.items) };
        }

        fn process(input: u32, rows: u64, handle: u32) callconv(.c) *Result {
            defer frames.@"[resource-drop]frame"(handle);
            return end(processed(.{ .handle = handle, .input = input, .rows = @intCast(rows) }));
        }

        fn processed(frame: Frame) Failed!void {
            var answer: Answer = .{};
            try stage.process(&frame, &answer);
            returned.value = .{ .answer = try answer.raw() };
        }

        fn finish() callconv(.c) *Result {
            return end(finished());
        }

        fn finished() Failed!void {
            var answer: Answer = .{};
            const some = if (@hasDecl(Stage, "finish")) try stage.finish(&answer) else false;
            returned.value = .{ .maybe = .{ .some = @intFromBool(some), .answer = try answer.raw() } };
        }

        fn snapshot() callconv(.c) *Result {
            return end(remembered());
        }

        fn remembered() Failed!void {
            const bytes = if (@hasDecl(Stage, "snapshot")) try stage.snapshot(call_memory) else "";
            returned.value = .{ .bytes = .of(bytes) };
        }

        fn after(_: *anyopaque) callconv(.c) void {
            over();
        }
    };
    const interface = "parshall:stage/transform@0.1.0#";
    @export(&reallocate, .{ .name = "cabi_realloc" });
    for (.{ "describe", "open", "process", "finish", "snapshot" }) |name| {
        @export(&@field(calls, name), .{ .name = interface ++ name });
        @export(&calls.after, .{ .name = "cabi_post_" ++ interface ++ name });
    }
}
