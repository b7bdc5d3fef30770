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

/** A column of numbers. What was read is the stage's own, to be worked on in place. */
export class Column<T> {
  constructor(public length: i32, public nulls: i32, public validity: usize, public values: usize) {}
  /** Whether a row is not null. */
  valid(row: i32): bool { return this.validity == 0 || ((load<u8>(this.validity + (row >> 3)) >> <u8>(row & 7)) & 1) != 0; }
  // @ts-ignore: decorator
  @operator("[]") get(row: i32): T { return load<T>(this.values + (<usize>row << alignof<T>())); }
  // @ts-ignore: decorator
  @operator("[]=") set(row: i32, value: T): void { store<T>(this.values + (<usize>row << alignof<T>()), value); }
  /** Room for a column of the stage's own, without nulls. */
  static of<T>(length: i32): Column<T> { return new Column<T>(length, 0, 0, allocate(length << alignof<T>())); }
}

/** A column of strings. */
export class Texts {
  constructor(public length: i32, public nulls: i32, public validity: usize, public offsets: usize, public bytes: usize) {}
  valid(row: i32): bool { return this.validity == 0 || ((load<u8>(this.validity + (row >> 3)) >> <u8>(row & 7)) & 1) != 0; }
  at(row: i32): string {
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
  constructor(private nodes: usize, private buffers: usize) {}
  private buffer(): usize {
    const at: usize = load<usize>(this.buffers, 4) == 0 ? 0 : load<usize>(this.buffers);
    this.buffers += 8;
    return at;
  }
  private node(): usize {
    this.nodes += NODE;
    return this.nodes - NODE;
  }
  numbers<T>(): Column<T> {
    const node = this.node(), validity = this.buffer();
    return new Column<T>(<i32>load<u64>(node), <i32>load<u64>(node, 8), validity, this.buffer());
  }
  texts(): Texts {
    const node = this.node(), validity = this.buffer(), offsets = this.buffer();
    return new Texts(<i32>load<u64>(node), <i32>load<u64>(node, 8), validity, offsets, this.buffer());
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
    if (load<u8>(result) == 0) return new Read(load<usize>(result, 8), load<usize>(result, 16));
    failData("the columns exceed the limit `read_bytes`");
    return null;
  }
}
