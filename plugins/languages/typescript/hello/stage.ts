import * as parshall from './parshall.js';

class Hello implements parshall.Stage {
  name = "hello";
  version = '0.1.0';
  summary = 'Doubles the column `n`';
  n!: parshall.Index<'l'>;

  open(_: {}, inputs: parshall.Input[]) {
    this.n = parshall.sameSchema(inputs).index('n', 'l');
  }

  process(frame: parshall.Frame) {
    const [n] = frame.read(this.n);
    return frame.out().replace(this.n, n.values.map((value) => value * 2n), n.validity, n.nulls);
  }
}

export const transform = parshall.transform(new Hello());
