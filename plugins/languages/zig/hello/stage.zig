const parshall = @import("parshall");
pub const panic = parshall.panic;

const Stage = struct {
    pub const description: parshall.Description = .{ .name = "hello", .version = "0.1.0", .summary = "Doubles the column `n`" };
    pub const Config = struct {};
    n: u32 = 0,
    pub fn open(self: *Stage, _: Config, opening: *const parshall.Opening) !void {
        const schema = try opening.sameSchema();
        self.n, _ = try schema.column("n", "l", "");
        try opening.port("out", schema);
    }
    pub fn process(self: *Stage, frame: *const parshall.Frame, answer: *parshall.Answer) !void {
        var read = try frame.read(&.{self.n});
        const n = read.numbers(i64);
        for (n.values) |*value| value.* *%= 2;
        try (try answer.out()).replace(self.n, n);
    }
};
comptime { parshall.transform(Stage); }
