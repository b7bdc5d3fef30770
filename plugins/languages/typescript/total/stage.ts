// The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.
import * as parshall from './parshall.js';

interface Config {
  value: string;
  key?: string;
}

/** What is known of a key, which is bytes; null is no bytes at all. */
interface Group {
  key: Uint8Array | undefined;
  count: bigint;
  /** Of an int64 column, a whole number within int64; of a float64 column, a number. */
  sum: bigint | number;
}

const MAGIC = [...'total\u0001'].map((letter) => letter.charCodeAt(0));
const NO_KEY = 0xffffffff;
const FOREIGN = 'these bytes are no snapshot of this stage';

/** Bytes as a key that a Map can look up: one character a byte. */
const keyOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);

class Total implements parshall.Stage<Config> {
  name = 'total-typescript';
  version = '0.1.0';
  summary = 'Counts and sums an int64 or float64 column, by key';
  configSchema: parshall.ConfigSchema = {
    required: ['value'],
    properties: {
      value: { type: 'string', description: 'An int64 or float64 column' },
      key: { type: 'string', description: 'A utf8 column; without it, all rows are one group' },
    },
  };

  value!: parshall.Index<'l' | 'g'>;
  key: parshall.Index<'u'> | undefined;
  whole!: boolean;
  groups!: Map<string | undefined, Group>;
  told = false;

  open({ value, key }: Config, inputs: parshall.Input[]) {
    const schema = parshall.sameSchema(inputs);
    this.value = schema.index(value, 'lg', '/value');
    this.key = key === undefined ? undefined : schema.index(key, 'u', '/key');
    const { format } = schema.fields[this.value];
    this.whole = format === 'l';
    this.told = false;
    this.groups = new Map();
    if (this.key === undefined) this.group(undefined);
    const fields = [parshall.field('count', 'l'), parshall.field('sum', format)];
    return [parshall.port(key === undefined ? fields : [parshall.field(key, 'u', true), ...fields])];
  }

  group(bytes: Uint8Array | undefined): Group {
    const key = bytes && keyOf(bytes);
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { key: bytes?.slice(), count: 0n, sum: this.whole ? 0n : 0 };
      this.groups.set(key, group);
    }
    return group;
  }

  process(frame: parshall.Frame) {
    if (this.key === undefined) {
      const [values] = frame.read(this.value);
      this.add(values, () => undefined);
    } else {
      const [values, keys] = frame.read(this.value, this.key);
      this.add(values, (row) => (keys.valid(row) ? keys.text(row) : undefined));
    }
  }

  add(column: parshall.NumberColumn<BigInt64Array> | parshall.NumberColumn<Float64Array>, keyAt: (row: number) => Uint8Array | undefined) {
    const { values, length } = column;
    for (let row = 0; row < length; row++) {
      const group = this.group(keyAt(row));
      if (!column.valid(row)) continue;
      group.count++;
      group.sum = values instanceof BigInt64Array ? BigInt.asIntN(64, (group.sum as bigint) + values[row]) : (group.sum as number) + values[row];
    }
  }

  finish() {
    if (this.told || this.groups.size === 0) return undefined;
    this.told = true;
    const groups = [...this.groups.values()];
    const output = parshall.fresh(groups.length);
    if (this.key !== undefined) output.addTexts(groups.map((group) => group.key));
    const sums = groups.map((group) => group.sum);
    return output
      .add(BigInt64Array.from(groups, (group) => group.count))
      .add(this.whole ? BigInt64Array.from(sums as bigint[]) : Float64Array.from(sums as number[]));
  }

  // === snapshots: a form that every language's `total` knows ===

  kind() {
    return [...MAGIC, (this.whole ? 'l' : 'g').charCodeAt(0), (this.key === undefined ? '-' : 'k').charCodeAt(0)];
  }

  snapshot() {
    const groups = [...this.groups.values()];
    const keyed = this.key !== undefined;
    const size = groups.reduce((size, group) => size + 16 + (keyed ? 4 + (group.key?.length ?? 0) : 0), 12);
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    bytes.set(this.kind());
    view.setUint32(8, groups.length, true);
    let at = 12;
    for (const { key, count, sum } of groups) {
      if (keyed) {
        view.setUint32(at, key?.length ?? NO_KEY, true);
        bytes.set(key ?? [], at + 4);
        at += 4 + (key?.length ?? 0);
      }
      view.setBigInt64(at, count, true);
      if (typeof sum === 'bigint') view.setBigInt64(at + 8, sum, true);
      else view.setFloat64(at + 8, sum, true);
      at += 16;
    }
    return bytes;
  }

  restore(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 12 || !this.kind().every((byte, at) => bytes[at] === byte)) throw new Error(FOREIGN);
    this.groups.clear();
    let at = 12;
    for (let left = view.getUint32(8, true); left > 0; left--) {
      let key: Uint8Array | undefined;
      if (this.key !== undefined) {
        const length = view.getUint32(at, true);
        at += 4;
        if (length !== NO_KEY) key = bytes.slice(at, (at += length));
      }
      const group = this.group(key);
      group.count = view.getBigInt64(at, true);
      group.sum = this.whole ? view.getBigInt64(at + 8, true) : view.getFloat64(at + 8, true);
      at += 16;
    }
    if (at !== bytes.length) throw new Error(FOREIGN);
  }
}

export const transform = parshall.transform(new Total());
