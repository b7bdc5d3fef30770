// What goes out: batches, and rows that are refused.
import { Column, NODE, Texts } from "./frame";
import { lay, layText } from "./layout";
import { allocate } from "./memory";

const OUTPUT = 56, REJECTION = 12, SOURCE = 8, MOST_MADE = 64;

let outputs: Output[] = [];
let rejectedRows: u32[] = [];
let reasons: string[] = [];
let width: i32 = 0;

/** Of the input, so many columns. */
export function widthIs(columns: i32): void { width = columns; }

export function forgetAnswer(): void {
  outputs = [];
  rejectedRows = [];
  reasons = [];
}

/** Refuses a row; it must be among the rows of no output. */
export function reject(row: i32, reason: string): void {
  rejectedRows.push(row);
  reasons.push(reason);
}

/** One batch that leaves: every row and every column of the input, until told otherwise. At most 64 made columns. */
export class Output {
  private raw: usize = allocate(OUTPUT);
  private nodes: i32 = 0;
  private buffers: i32 = 0;
  private sources: i32 = 0;

  constructor(port: i32 = 0) {
    memory.fill(this.raw, 0, OUTPUT);
    store<u32>(this.raw, port);
    store<usize>(this.raw, allocate(MOST_MADE * NODE), 36);
    store<usize>(this.raw, allocate(MOST_MADE * 3 * 8), 44);
    outputs.push(this);
  }

  /** Only the rows whose bit is set; every made column has a value for each of those. */
  keep(bits: usize, rows: i32): Output {
    store<u8>(this.raw, 1, 8);
    lay(this.raw + 16, bits, (rows + 7) >> 3);
    return this;
  }

  /** Rows that are not rows of the input: every column is added, in order. */
  fresh(rows: i32): Output {
    store<u8>(this.raw, 3, 8);
    store<u64>(this.raw, rows, 16);
    this.each(MOST_MADE);
    return this;
  }

  private each(room: i32): void {
    store<u8>(this.raw, 1, 24);
    store<usize>(this.raw, allocate(room * SOURCE), 28);
  }

  private source(index: i32, made: bool): void {
    const at = load<usize>(this.raw, 28) + index * SOURCE;
    store<u8>(at, made);
    store<u32>(at, index, 4);
  }

  private begin(index: i32, length: i32, nulls: i32, validity: usize): void {
    if (load<u8>(this.raw, 24) == 0) {
      this.each(width);
      for (let i = 0; i < width; i++) this.source(i, false);
      this.sources = width;
    }
    if (index < 0 || index >= max(width, this.sources)) throw new RangeError(`there is no column ${index}`);
    if (this.nodes == MOST_MADE) throw new RangeError(`more than ${MOST_MADE} made columns in one output`);
    this.source(index, true);
    const node = load<usize>(this.raw, 36) + this.nodes++ * NODE;
    store<u64>(node, length);
    store<u64>(node, nulls, 8);
    store<u32>(node, 0, 16);
    this.buffer(validity, nulls > 0 ? (length + 7) >> 3 : 0);
  }

  private buffer(at: usize, length: i32): void {
    lay(load<usize>(this.raw, 44) + this.buffers++ * 8, at, length);
  }

  private put<T>(index: i32, column: Column<T>): void {
    this.begin(index, column.length, column.nulls, column.validity);
    this.buffer(column.values, column.length << <i32>alignof<T>());
  }

  /** A column instead of the input's. */
  replace<T>(index: i32, column: Column<T>): Output {
    this.put<T>(index, column);
    return this;
  }

  /** The next column of fresh rows: numbers. */
  add<T>(column: Column<T>): Output {
    this.put<T>(this.sources++, column);
    return this;
  }

  /** The next column of fresh rows: strings. */
  addTexts(column: Texts): Output {
    this.begin(this.sources++, column.length, column.nulls, column.validity);
    this.buffer(column.offsets, (column.length + 1) << 2);
    this.buffer(column.bytes, load<i32>(column.offsets + (<usize>column.length << 2)));
    return this;
  }

  /** Its record in the contract's layout. */
  lay(to: usize): void {
    store<usize>(this.raw, this.sources, 32);
    store<usize>(this.raw, this.nodes, 40);
    store<usize>(this.raw, this.buffers, 48);
    memory.copy(to, this.raw, OUTPUT);
  }
}

/** All that a call puts out and refuses, in the contract's layout. */
export function layAnswer(to: usize): void {
  const made = allocate(outputs.length * OUTPUT), refused = allocate(reasons.length * REJECTION);
  for (let i = 0; i < outputs.length; i++) outputs[i].lay(made + i * OUTPUT);
  for (let i = 0; i < reasons.length; i++) {
    store<u32>(refused + i * REJECTION, rejectedRows[i]);
    layText(refused + i * REJECTION + 4, reasons[i]);
  }
  lay(to, made, outputs.length);
  lay(to + 8, refused, reasons.length);
}
