//! The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.

const std = @import("std");
const parshall = @import("parshall");
pub const panic = parshall.panic;

const Group = struct {
    key: ?[]const u8,
    count: i64 = 0,
    /// An int64 or a float64, as the column.
    sum: u64 = 0,
};

const Total = struct {
    pub const description: parshall.Description = .{
        .name = "total-zig",
        .version = "0.1.0",
        .summary = "Counts and sums an int64 or float64 column, by key",
        .config_schema =
        \\{"type": "object", "required": ["value"], "additionalProperties": false, "properties": {
        \\"value": {"type": "string", "description": "An int64 or float64 column"},
        \\"key": {"type": "string", "description": "A utf8 column; without it, all rows are one group"}}}
        ,
    };

    pub const Config = struct { value: []const u8, key: ?[]const u8 = null };

    value: u32 = 0,
    format: u8 = 0,
    key: ?u32 = null,
    groups: std.ArrayList(Group) = .empty,
    by_key: std.StringHashMapUnmanaged(usize) = .empty,
    null_group: ?usize = null,
    told: bool = false,

    pub fn open(self: *Total, config: Config, opening: *const parshall.Opening) !void {
        const schema = try opening.sameSchema();
        self.value, self.format = try schema.column(config.value, "lg", "/value");
        const memory = parshall.call_memory;
        var fields: std.ArrayList(parshall.Field) = .empty;
        if (config.key) |key| {
            self.key, _ = try schema.column(key, "u", "/key");
            try fields.append(memory, .init(key, "u", parshall.nullable));
        }
        try fields.append(memory, .init("count", "l", 0));
        try fields.append(memory, .init("sum", if (self.format == 'l') "l" else "g", 0));
        if (opening.restore) |bytes| {
            self.restore(bytes) catch return parshall.failInternal("these bytes are no snapshot of this stage", .{});
        } else if (self.key == null) _ = try self.groupOf(null);
        try opening.port("out", .init(fields.items));
    }

    fn groupOf(self: *Total, key: ?[]const u8) !*Group {
        const text = key orelse {
            if (self.null_group == null) self.null_group = try self.begin(null);
            return &self.groups.items[self.null_group.?];
        };
        const known = try self.by_key.getOrPut(parshall.kept_memory, text);
        if (!known.found_existing) {
            const kept = try parshall.kept_memory.dupe(u8, text);
            known.key_ptr.* = kept;
            known.value_ptr.* = try self.begin(kept);
        }
        return &self.groups.items[known.value_ptr.*];
    }

    fn begin(self: *Total, key: ?[]const u8) !usize {
        try self.groups.append(parshall.kept_memory, .{ .key = key });
        return self.groups.items.len - 1;
    }

    pub fn process(self: *Total, frame: *const parshall.Frame, _: *parshall.Answer) !void {
        var read = try frame.read(if (self.key) |key| &.{ self.value, key } else &.{self.value});
        const values = read.numbers(u64);
        const keys: ?parshall.Texts = if (self.key == null) null else read.texts();
        for (values.values, 0..) |value, row| {
            const group = try self.groupOf(if (keys) |texts| if (texts.validity.valid(row)) texts.at(row) else null else null);
            if (!values.validity.valid(row)) continue;
            group.count += 1;
            group.sum = if (self.format == 'l') group.sum +% value else @bitCast(@as(f64, @bitCast(group.sum)) + @as(f64, @bitCast(value)));
        }
    }

    pub fn finish(self: *Total, answer: *parshall.Answer) !bool {
        if (self.told or self.groups.items.len == 0) return false;
        self.told = true;
        const memory = parshall.call_memory;
        const rows = self.groups.items.len;
        const bits = try memory.alloc(u8, (rows + 7) / 8);
        @memset(bits, 0);
        var bytes: std.ArrayList(u8) = .empty;
        const offsets = try memory.alloc(i32, rows + 1);
        const counts = try memory.alloc(i64, rows);
        const sums = try memory.alloc(u64, rows);
        var nulls: u64 = 0;
        offsets[0] = 0;
        for (self.groups.items, 0..) |group, row| {
            if (group.key) |key| {
                bits[row >> 3] |= @as(u8, 1) << @intCast(row & 7);
                try bytes.appendSlice(memory, key);
            } else nulls += 1;
            offsets[row + 1] = @intCast(bytes.items.len);
            counts[row] = group.count;
            sums[row] = group.sum;
        }
        const output = try answer.out();
        output.fresh(rows);
        if (self.key != null) try output.add(parshall.Texts{ .offsets = offsets, .bytes = bytes.items, .validity = .{ .bits = bits, .nulls = nulls } });
        try output.add(parshall.Column(i64){ .values = counts });
        try output.add(parshall.Column(u64){ .values = sums });
        return true;
    }

    // === snapshots: a form that every language's `total` knows ===

    fn kind(self: *Total) [8]u8 {
        return "total\x01".* ++ [2]u8{ self.format, if (self.key == null) '-' else 'k' };
    }

    pub fn snapshot(self: *Total, memory: parshall.Allocator) ![]const u8 {
        var bytes: std.ArrayList(u8) = .empty;
        try bytes.appendSlice(memory, &self.kind());
        try bytes.appendSlice(memory, &std.mem.toBytes(@as(u32, @intCast(self.groups.items.len))));
        for (self.groups.items) |group| {
            if (self.key != null) {
                const length: u32 = if (group.key) |key| @intCast(key.len) else std.math.maxInt(u32);
                try bytes.appendSlice(memory, &std.mem.toBytes(length));
                try bytes.appendSlice(memory, group.key orelse "");
            }
            try bytes.appendSlice(memory, &std.mem.toBytes(group.count));
            try bytes.appendSlice(memory, &std.mem.toBytes(group.sum));
        }
        return bytes.items;
    }

    const Rest = struct {
        bytes: []const u8,

        fn take(self: *Rest, size: usize) ![]const u8 {
            if (size > self.bytes.len) return error.Short;
            defer self.bytes = self.bytes[size..];
            return self.bytes[0..size];
        }

        fn number(self: *Rest, comptime T: type) !T {
            return std.mem.bytesToValue(T, try self.take(@sizeOf(T)));
        }
    };

    fn restore(self: *Total, bytes: []const u8) !void {
        var rest: Rest = .{ .bytes = bytes };
        if (!std.mem.eql(u8, try rest.take(8), &self.kind())) return error.Foreign;
        for (0..try rest.number(u32)) |_| {
            const length: u32 = if (self.key == null) std.math.maxInt(u32) else try rest.number(u32);
            const group = try self.groupOf(if (length == std.math.maxInt(u32)) null else try rest.take(length));
            group.count = try rest.number(i64);
            group.sum = try rest.number(u64);
        }
        if (rest.bytes.len > 0) return error.Foreign;
    }
};

comptime {
    parshall.transform(Total);
}
