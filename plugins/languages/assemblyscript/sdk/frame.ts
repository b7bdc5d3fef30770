// What comes in: batches that the host holds, and columns of them that were read.
import { failData } from "./errors";
import { allocate } from "./memory";

// @ts-ignore: decorator
@external("parshall:stage/frames@0.1.0", "[method]frame.read")
declare function readFrame(frame: u32, columns: usize, count: usize, result: usize): void;
// @ts-ignore: decorator
@external("parshall:stage/frames@0.1.0", "[resource-drop]frame")
declare function dropFrame(frame: u32): void;

/** Bytes of a node in the contract's layout. */
export const NODE = 24;

/** Ends the instance where a row is none of so many. */
// @ts-ignore: decorator
@inline
function within(row: i32, rows: i32): void {
  if (<u32>row >= <u32>rows) throw new RangeError(`row ${row} is out of bounds: there are ${rows}`);
}

function isValid(validity: usize, row: i32): bool {
  return validity == 0 || ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) != 0;
}

/** A column of numbers. What was read is the stage's own, to be worked on in place. A row that there is not ends the instance. */
export class Column<T> {
  constructor(public length: i32, public nulls: i32, public validity: usize, public values: usize) {}
  /** Whether a row is not null. */
  valid(row: i32): bool {
    within(row, this.length);
    return isValid(this.validity, row);
  }
  // @ts-ignore: decorator
  @operator("[]") get(row: i32): T {
    within(row, this.length);
    return load<T>(this.values + (<usize>row << alignof<T>()));
  }
  // @ts-ignore: decorator
  @operator("[]=") set(row: i32, value: T): void {
    within(row, this.length);
    store<T>(this.values + (<usize>row << alignof<T>()), value);
  }
  /** Room for a column of the stage's own, without nulls. */
  static of<T>(length: i32): Column<T> { return new Column<T>(length, 0, 0, allocate(length << alignof<T>())); }
}

/** A column of strings. A row that there is not ends the instance. */
export class Texts {
  constructor(public length: i32, public nulls: i32, public validity: usize, public offsets: usize, public bytes: usize) {}
  /** Whether a row is not null. */
  valid(row: i32): bool {
    within(row, this.length);
    return isValid(this.validity, row);
  }
  /** The string of a row. */
  at(row: i32): string {
    within(row, this.length);
    const from = load<i32>(this.offsets + (<usize>row << 2)), to = load<i32>(this.offsets + (<usize>row << 2), 4);
    return String.UTF8.decodeUnsafe(this.bytes + from, to - from);
  }
  /** A column of the stage's own. */
  static of(texts: (string | null)[]): Texts {
    const rows = texts.length, validity = allocate((rows + 7) >> 3), offsets = allocate((rows + 1) << 2);
    let bytes = 0, nulls = 0;
    for (let row = 0; row < rows; row++) {
      const text = texts[row];
      if (text !== null) bytes += String.UTF8.byteLength(text);
    }
    const begin = allocate(bytes);
    memory.fill(validity, 0, (rows + 7) >> 3);
    store<i32>(offsets, 0);
    for (let row = 0, end = 0; row < rows; row++) {
      const text = texts[row];
      if (text === null) nulls++;
      else {
        store<u8>(validity + (row >> 3), load<u8>(validity + (row >> 3)) | (<u8>1 << <u8>(row & 7)));
        end += <i32>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, begin + end);
      }
      store<i32>(offsets + (<usize>row << 2), end, 4);
    }
    return new Texts(rows, nulls, validity, offsets, begin);
  }
}

/** Columns that have crossed; take them in the order in which they were asked for. */
export class Read {
  constructor(private nodes: usize, private buffers: usize, private left: i32) {}
  /** The next buffer, which has so many bytes at least. */
  private buffer(bytes: usize): usize {
    if (this.left-- == 0 || load<usize>(this.buffers, 4) < bytes) {
      throw new RangeError("a column was read as what it is not: texts have offsets and bytes, numbers so many bytes a value");
    }
    const at: usize = load<usize>(this.buffers, 4) == 0 ? 0 : load<usize>(this.buffers);
    this.buffers += 8;
    return at;
  }
  private node(): usize {
    if (this.left == 0) throw new RangeError("a column more than was read");
    this.nodes += NODE;
    return this.nodes - NODE;
  }
  /** The next column, whose values are of type T. */
  numbers<T>(): Column<T> {
    const node = this.node(), rows = <i32>load<u64>(node), validity = this.buffer(0);
    return new Column<T>(rows, <i32>load<u64>(node, 8), validity, this.buffer(<usize>rows << alignof<T>()));
  }
  /** The next column, of strings. */
  texts(): Texts {
    const node = this.node(), rows = <i32>load<u64>(node), validity = this.buffer(0);
    const offsets = this.buffer(rows == 0 ? 0 : <usize>(rows + 1) << 2);
    return new Texts(rows, <i32>load<u64>(node, 8), validity, offsets, this.buffer(0));
  }
}

/** A batch that the host holds. */
export class Frame {
  constructor(private handle: u32, public input: i32, public rows: i32) {}
  /** Gives it back to the host. */
  drop(): void { dropFrame(this.handle); }
  /** Copies columns in, in one crossing; null is a failure, and told already. */
  read(columns: StaticArray<i32>): Read | null {
    const result = allocate(24);
    readFrame(this.handle, changetype<usize>(columns), columns.length, result);
    if (load<u8>(result) == 0) return new Read(load<usize>(result, 8), load<usize>(result, 16), load<i32>(result, 20));
    failData("the columns exceed the limit `read_bytes`");
    return null;
  }
}
