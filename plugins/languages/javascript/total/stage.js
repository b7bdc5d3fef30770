// The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.
import * as parshall from './parshall.js';

const MAGIC = [...'total\u0001'].map((letter) => letter.charCodeAt(0));
const NO_KEY = 0xffffffff;
const FOREIGN = 'these bytes are no snapshot of this stage';

/** Bytes as a key that a Map can look up: one character a byte. */
const keyOf = (bytes) => String.fromCharCode.apply(null, bytes);

export const transform = parshall.transform({
  name: 'total-javascript',
  version: '0.1.0',
  summary: 'Counts and sums an int64 or float64 column, by key',
  configSchema: {
    required: ['value'],
    properties: {
      value: { type: 'string', description: 'An int64 or float64 column' },
      key: { type: 'string', description: 'A utf8 column; without it, all rows are one group' },
    },
  },

  open({ value, key }, inputs) {
    const schema = parshall.sameSchema(inputs);
    this.columns = [schema.index(value, 'lg', '/value')];
    this.format = schema.fields[this.columns[0]].format;
    this.keyed = key !== undefined;
    const fields = [parshall.field('count', 'l'), parshall.field('sum', this.format)];
    if (this.keyed) {
      this.columns.push(schema.index(key, 'u', '/key'));
      fields.unshift(parshall.field(key, 'u', true));
    }
    this.groups = new Map();
    this.told = false;
    if (!this.keyed) this.group(undefined);
    return [parshall.port(fields)];
  },

  /** The group of a key, which is bytes; null is no bytes at all. */
  group(bytes) {
    const key = bytes && keyOf(bytes);
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { key: bytes?.slice(), count: 0n, sum: this.format === 'l' ? 0n : 0 };
      this.groups.set(key, group);
    }
    return group;
  },

  process(frame) {
    const [values, keys] = frame.read(...this.columns);
    for (let row = 0; row < values.length; row++) {
      const group = this.group(keys?.valid(row) ? keys.text(row) : undefined);
      if (!values.valid(row)) continue;
      group.count++;
      group.sum += values.values[row];
    }
  },

  numbers(values) {
    return this.format === 'l' ? BigInt64Array.from(values) : Float64Array.from(values);
  },

  finish() {
    if (this.told || this.groups.size === 0) return undefined;
    this.told = true;
    const groups = [...this.groups.values()];
    const output = parshall.fresh(groups.length);
    if (this.keyed) output.addTexts(groups.map((group) => group.key));
    return output.add(BigInt64Array.from(groups, (group) => group.count)).add(this.numbers(groups.map((group) => group.sum)));
  },

  // === snapshots: a form that every language's `total` knows ===

  kind() {
    return [...MAGIC, this.format.charCodeAt(0), this.keyed ? 107 : 45];
  },

  snapshot() {
    const groups = [...this.groups.values()];
    const size = groups.reduce((size, group) => size + 16 + (this.keyed ? 4 + (group.key?.length ?? 0) : 0), 12);
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    bytes.set(this.kind());
    view.setUint32(8, groups.length, true);
    let at = 12;
    for (const { key, count, sum } of groups) {
      if (this.keyed) {
        view.setUint32(at, key?.length ?? NO_KEY, true);
        bytes.set(key ?? [], at + 4);
        at += 4 + (key?.length ?? 0);
      }
      view.setBigInt64(at, count, true);
      if (this.format === 'l') view.setBigInt64(at + 8, sum, true);
      else view.setFloat64(at + 8, sum, true);
      at += 16;
    }
    return bytes;
  },

  restore(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 12 || !this.kind().every((byte, at) => bytes[at] === byte)) throw new Error(FOREIGN);
    this.groups.clear();
    let at = 12;
    for (let left = view.getUint32(8, true); left > 0; left--) {
      let key;
      if (this.keyed) {
        const length = view.getUint32(at, true);
        at += 4;
        if (length !== NO_KEY) key = bytes.slice(at, (at += length));
      }
      const group = this.group(key);
      group.count = view.getBigInt64(at, true);
      group.sum = this.format === 'l' ? view.getBigInt64(at + 8, true) : view.getFloat64(at + 8, true);
      at += 16;
    }
    if (at !== bytes.length) throw new Error(FOREIGN);
  },
});
