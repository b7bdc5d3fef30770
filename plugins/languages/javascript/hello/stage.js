import * as parshall from './parshall.js';

export const transform = parshall.transform({
  name: "hello", version: '0.1.0', summary: 'Doubles the column `n`',
  open(_, inputs) {
    this.n = parshall.sameSchema(inputs).index('n', 'l');
  },
  process(frame) {
    const [n] = frame.read(this.n);
    return frame.out().replace(this.n, n.values.map((value) => value * 2n), n.validity, n.nulls);
  },
});
