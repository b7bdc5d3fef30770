import * as parshall from "../sdk/parshall";

class Hello extends parshall.Stage {
  n: i32 = 0;
  describe(): parshall.Description { return new parshall.Description("hello", "0.1.0", "Doubles the column `n`"); }
  open(config: parshall.Config, inputs: parshall.Input[]): bool {
    const schema = parshall.sameSchema(inputs);
    if (!config.done() || schema === null) return false;
    this.n = schema.index("n", "l");
    return this.n >= 0;
  }
  process(frame: parshall.Frame): bool {
    const read = frame.read([this.n]);
    if (read === null) return false;
    const column = read.numbers<i64>();
    for (let row = 0; row < column.length; row++) column[row] *= 2;
    new parshall.Output().replace<i64>(this.n, column);
    return true;
  }
}
parshall.transform(new Hello());
