// The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.
import * as parshall from "../sdk/parshall";

/** A sum is of the column's type, int64 or float64; kept as its bits. */
class Group {
  count: i64 = 0;
  sum: i64 = 0;
  constructor(public key: string | null) {}
}

const NO_KEY: u32 = 0xffffffff;

class Total extends parshall.Stage {
  value: i32 = 0;
  key: i32 = -1;
  whole: bool = false;
  keyed: bool = false;
  told: bool = false;
  groups: Group[] = [];
  places: Map<string, Group> = new Map();
  /** Of the rows whose key is null, or of all. */
  keyless: Group | null = null;

  describe(): parshall.Description {
    return new parshall.Description(
      "total-assemblyscript",
      "0.1.0",
      "Counts and sums an int64 or float64 column, by key",
      `{"type": "object", "required": ["value"], "additionalProperties": false, "properties": {
        "value": {"type": "string", "description": "An int64 or float64 column"},
        "key": {"type": "string", "description": "A utf8 column; without it, all rows are one group"}}}`,
    );
  }

  stateful(): bool { return true; }

  open(config: parshall.Config, inputs: parshall.Input[]): bool {
    this.keyed = config.has("key");
    const value = config.string("value"), key = config.string("key", "");
    if (!config.done()) return false;
    const schema = parshall.sameSchema(inputs);
    if (schema === null) return false;
    this.value = schema.index(value, "lg", "/value");
    if (this.value < 0) return false;
    if (this.keyed) {
      this.key = schema.index(key, "u", "/key");
      if (this.key < 0) return false;
    } else {
      this.group(null);
    }
    const format = schema.fields[this.value].format;
    this.whole = format == "l";
    const fields = [new parshall.Field("count", "l"), new parshall.Field("sum", format)];
    if (this.keyed) fields.unshift(new parshall.Field(key, "u", parshall.NULLABLE));
    return parshall.portOf("out", fields);
  }

  group(key: string | null): Group {
    if (key !== null && this.places.has(key)) return this.places.get(key);
    if (key === null && this.keyless !== null) return this.keyless!;
    const made = new Group(key);
    this.groups.push(made);
    if (key === null) this.keyless = made;
    else this.places.set(key, made);
    return made;
  }

  process(frame: parshall.Frame): bool {
    const read = frame.read(this.keyed ? [this.value, this.key] : [this.value]);
    if (read === null) return false;
    // int64 and float64 are equally wide: which of them it is, is asked at the addition.
    const values = read.numbers<i64>();
    const keys = this.keyed ? read.texts() : null;
    for (let row = 0; row < values.length; row++) {
      const group = this.group(keys !== null && keys.valid(row) ? keys.at(row) : null);
      if (values.valid(row)) this.add(group, values[row]);
    }
    return true;
  }

  add(group: Group, value: i64): void {
    group.count++;
    group.sum = this.whole ? group.sum + value : reinterpret<i64>(reinterpret<f64>(group.sum) + reinterpret<f64>(value));
  }

  finish(): bool {
    if (this.told || this.groups.length == 0) return false;
    this.told = true;
    const rows = this.groups.length;
    const counts = parshall.Column.of<i64>(rows), sums = parshall.Column.of<i64>(rows);
    const keys: (string | null)[] = [];
    for (let i = 0; i < rows; i++) {
      counts[i] = this.groups[i].count;
      sums[i] = this.groups[i].sum;
      keys.push(this.groups[i].key);
    }
    const output = new parshall.Output().fresh(rows);
    if (this.keyed) output.addTexts(parshall.Texts.of(keys));
    output.add<i64>(counts).add<i64>(sums);
    return true;
  }

  // === snapshots: a form that every language's `total` knows ===

  kind(): Uint8Array { return Uint8Array.wrap(String.UTF8.encode("total\x01" + (this.whole ? "l" : "g") + (this.keyed ? "k" : "-"))); }

  snapshot(): Uint8Array {
    let size = 12;
    for (let i = 0; i < this.groups.length; i++) size += 16 + (this.keyed ? 4 + lengthOf(this.groups[i].key) : 0);
    const bytes = new Uint8Array(size);
    bytes.set(this.kind());
    let at = bytes.dataStart;
    store<u32>(at, this.groups.length, 8);
    at += 12;
    for (let i = 0; i < this.groups.length; i++) {
      const group = this.groups[i], key = group.key;
      if (this.keyed) {
        store<u32>(at, key === null ? NO_KEY : lengthOf(key));
        if (key !== null) String.UTF8.encodeUnsafe(changetype<usize>(key), key.length, at + 4);
        at += 4 + lengthOf(key);
      }
      store<i64>(at, group.count);
      store<i64>(at, group.sum, 8);
      at += 16;
    }
    return bytes;
  }

  restore(bytes: Uint8Array): bool {
    const kind = this.kind();
    let at = bytes.dataStart;
    const end = at + bytes.length;
    if (bytes.length < 12 || memory.compare(kind.dataStart, at, 8) != 0) return false;
    let left = load<u32>(at, 8);
    for (at += 12; left > 0; left--) {
      let key: string | null = null;
      if (this.keyed) {
        if (end - at < 4) return false;
        const length = load<u32>(at);
        at += 4;
        if (length != NO_KEY) {
          if (end - at < length) return false;
          key = String.UTF8.decodeUnsafe(at, length);
          at += length;
        }
      }
      if (end - at < 16) return false;
      const group = this.group(key);
      group.count = load<i64>(at);
      group.sum = load<i64>(at, 8);
      at += 16;
    }
    return at == end;
  }
}

function lengthOf(key: string | null): i32 { return key === null ? 0 : <i32>String.UTF8.byteLength(key); }

parshall.transform(new Total());
