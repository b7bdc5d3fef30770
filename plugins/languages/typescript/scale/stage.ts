// The reference stage `scale`: one column times a factor; all others stay where they are.
import * as parshall from './parshall.js';

interface Config {
  column: string;
  factor: number;
  nulls: 'keep' | 'reject';
}

class Scale implements parshall.Stage<Config> {
  name = 'scale-typescript';
  version = '0.1.0';
  summary = 'Multiplies an int64 or float64 column by a factor';
  configSchema: parshall.ConfigSchema = {
    required: ['column'],
    properties: {
      column: { type: 'string', description: 'An int64 or float64 column' },
      factor: { type: 'number', default: 2, description: 'A whole number for int64, whose products wrap' },
      nulls: { enum: ['keep', 'reject'], default: 'keep' },
    },
  };

  index!: parshall.Index<'l' | 'g'>;
  factor!: number;
  rejects!: boolean;
  reason!: string;

  open({ column, factor, nulls }: Config, inputs: parshall.Input[]) {
    const schema = parshall.sameSchema(inputs);
    this.index = schema.index(column, 'lg', '/column');
    const whole = schema.fields[this.index].format === 'l';
    if (whole && !Number.isInteger(factor)) throw parshall.configError('/factor', 'an int64 column wants a whole number');
    this.factor = factor;
    this.rejects = nulls === 'reject';
    this.reason = `\`${column}\` is null`;
  }

  process(frame: parshall.Frame) {
    const [read] = frame.read(this.index);
    const output = frame.out();
    let { values, validity, nulls } = read;
    if (this.rejects && validity && nulls > 0) {
      output.keep(validity);
      const valid = (_: bigint | number, row: number) => read.valid(row);
      values = values instanceof BigInt64Array ? values.filter(valid) : values.filter(valid);
      for (let row = 0; row < read.length; row++) if (!read.valid(row)) output.reject(row, this.reason);
      nulls = 0;
    }
    this.scale(values);
    return output.replace(this.index, values, validity, nulls);
  }

  /** In place: what was read is the stage's own. A BigInt64Array wraps. */
  scale(values: BigInt64Array | Float64Array) {
    if (values instanceof BigInt64Array) {
      const factor = BigInt(this.factor);
      for (let row = 0; row < values.length; row++) values[row] *= factor;
    } else {
      const factor = this.factor;
      for (let row = 0; row < values.length; row++) values[row] *= factor;
    }
  }
}

export const transform = parshall.transform(new Scale());
