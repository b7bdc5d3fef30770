//! The reference stage `scale`: one column times a factor; all others stay where they are.

const std = @import("std");
const parshall = @import("parshall");
pub const panic = parshall.panic;

const Scale = struct {
    pub const description: parshall.Description = .{
        .name = "scale-zig",
        .version = "0.1.0",
        .summary = "Multiplies an int64 or float64 column by a factor",
        .config_schema =
        \\{"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
        \\"column": {"type": "string", "description": "An int64 or float64 column"},
        \\"factor": {"type": "number", "default": 2, "description": "A whole number for int64, whose products wrap"},
        \\"nulls": {"enum": ["keep", "reject"], "default": "keep"}}}
        ,
    };

    pub const Config = struct {
        column: []const u8,
        factor: f64 = 2,
        nulls: enum { keep, reject } = .keep,
    };

    column: u32 = 0,
    format: u8 = 0,
    factor: f64 = 2,
    rejects: bool = false,
    reason: []const u8 = "",

    pub fn open(self: *Scale, config: Config, opening: *const parshall.Opening) !void {
        const schema = try opening.sameSchema();
        self.column, self.format = try schema.column(config.column, "lg", "/column");
        self.factor = config.factor;
        self.rejects = config.nulls == .reject;
        if (self.format == 'l' and config.factor != @trunc(config.factor))
            return parshall.failConfig("/factor", "an int64 column wants a whole number", .{});
        self.reason = try std.fmt.allocPrint(parshall.kept_memory, "`{s}` is null", .{config.column});
        try opening.port("out", schema);
    }

    pub fn process(self: *Scale, frame: *const parshall.Frame, answer: *parshall.Answer) !void {
        var read = try frame.read(&.{self.column});
        switch (self.format) {
            'l' => try self.scale(i64, read.numbers(i64), @intFromFloat(self.factor), answer),
            else => try self.scale(f64, read.numbers(f64), self.factor, answer),
        }
    }

    /// In place: what was read is the stage's own.
    fn scale(self: *Scale, comptime T: type, read: parshall.Column(T), factor: T, answer: *parshall.Answer) !void {
        const output = try answer.out();
        var column = read;
        if (self.rejects and read.validity.nulls > 0) {
            output.keep(read.validity.bits.?);
            var kept: usize = 0;
            for (read.values, 0..) |value, row| {
                if (read.validity.valid(row)) {
                    column.values[kept] = value;
                    kept += 1;
                } else try answer.reject(row, self.reason);
            }
            column = .{ .values = read.values[0..kept] };
        }
        for (column.values) |*value| value.* = if (T == i64) value.* *% factor else value.* * factor;
        try output.replace(self.column, column);
    }
};

comptime {
    parshall.transform(Scale);
}
