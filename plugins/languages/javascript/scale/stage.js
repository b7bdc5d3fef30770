// The reference stage `scale`: one column times a factor; all others stay where they are.
import * as parshall from './parshall.js';

export const transform = parshall.transform({
  name: 'scale-javascript',
  version: '0.1.0',
  summary: 'Multiplies an int64 or float64 column by a factor',
  configSchema: {
    required: ['column'],
    properties: {
      column: { type: 'string', description: 'An int64 or float64 column' },
      factor: { type: 'number', default: 2, description: 'A whole number for int64, whose products wrap' },
      nulls: { enum: ['keep', 'reject'], default: 'keep' },
    },
  },

  open({ column, factor, nulls }, inputs) {
    const schema = parshall.sameSchema(inputs);
    this.index = schema.index(column, 'lg', '/column');
    const whole = schema.fields[this.index].format === 'l';
    if (whole && !Number.isInteger(factor)) throw parshall.configError('/factor', 'an int64 column wants a whole number');
    this.factor = whole ? BigInt(factor) : factor;
    this.rejects = nulls === 'reject';
    this.reason = `\`${column}\` is null`;
  },

  process(frame) {
    const [read] = frame.read(this.index);
    const output = frame.out();
    let { values, validity, nulls } = read;
    if (this.rejects && nulls > 0) {
      output.keep(validity);
      values = values.filter((_, row) => read.valid(row));
      for (let row = 0; row < read.length; row++) if (!read.valid(row)) output.reject(row, this.reason);
      nulls = 0;
    }
    // In place: what was read is the stage's own. A BigInt64Array wraps.
    const factor = this.factor;
    for (let row = 0; row < values.length; row++) values[row] *= factor;
    return output.replace(this.index, values, validity, nulls);
  },
});
