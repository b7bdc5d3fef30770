// The reference stage `scale`: one column times a factor; all others stay where they are.
import * as parshall from "../sdk/parshall";

class Scale extends parshall.Stage {
  column: i32 = 0;
  whole: bool = false;
  factor: f64 = 2;
  rejects: bool = false;
  reason: string = "";

  describe(): parshall.Description {
    return new parshall.Description(
      "scale-assemblyscript",
      "0.1.0",
      "Multiplies an int64 or float64 column by a factor",
      `{"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
        "column": {"type": "string", "description": "An int64 or float64 column"},
        "factor": {"type": "number", "default": 2, "description": "A whole number for int64, whose products wrap"},
        "nulls": {"enum": ["keep", "reject"], "default": "keep"}}}`,
    );
  }

  open(config: parshall.Config, inputs: parshall.Input[]): bool {
    const name = config.string("column");
    this.factor = config.number("factor", 2);
    this.rejects = config.word("nulls", ["keep", "reject"]) == 1;
    if (!config.done()) return false;
    const schema = parshall.sameSchema(inputs);
    if (schema === null) return false;
    this.column = schema.index(name, "lg", "/column");
    if (this.column < 0) return false;
    this.whole = schema.fields[this.column].format == "l";
    if (this.whole && Math.trunc(this.factor) != this.factor) {
      return parshall.failConfig("/factor", "an int64 column wants a whole number");
    }
    this.reason = `\`${name}\` is null`;
    return true;
  }

  process(frame: parshall.Frame): bool {
    const read = frame.read([this.column]);
    if (read === null) return false;
    if (this.whole) this.scale<i64>(read.numbers<i64>(), <i64>this.factor);
    else this.scale<f64>(read.numbers<f64>(), this.factor);
    return true;
  }

  scale<T extends number>(column: parshall.Column<T>, factor: T): void {
    const output = new parshall.Output();
    if (this.rejects && column.nulls > 0) {
      output.keep(column.validity, column.length);
      this.rejectNulls<T>(column);
    }
    // In place: what was read is the stage's own.
    for (let row = 0; row < column.length; row++) column[row] *= factor;
    output.replace<T>(this.column, column);
  }

  /** Values of the rows that are not null move to the front; the others are refused. */
  rejectNulls<T>(column: parshall.Column<T>): void {
    let kept = 0;
    for (let row = 0; row < column.length; row++) {
      if (column.valid(row)) column[kept++] = column[row];
      else parshall.reject(row, this.reason);
    }
    column.length = kept;
    column.nulls = 0;
  }
}
parshall.transform(new Scale());
