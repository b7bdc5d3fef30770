/**
 * The types of `parshall.js`. A stage is an object, or a class's, that has the shape of `Stage`; `transform` makes it what the
 * component exports:
 *
 *     class Hello implements parshall.Stage { … }
 *     export const transform = parshall.transform(new Hello());
 */

/** Arrow's format letters of numbers, and the arrays for them. */
export interface Arrays {
  c: Int8Array; C: Uint8Array; s: Int16Array; S: Uint16Array; i: Int32Array; I: Uint32Array;
  l: BigInt64Array; L: BigUint64Array; f: Float32Array; g: Float64Array;
}
export type NumberArray = Arrays[keyof Arrays];

type Letters<Formats extends string> = Formats extends `${infer First}${infer Rest}` ? First | Letters<Rest> : never;
type ColumnOf<Letter extends string> =
  | (Letter extends keyof Arrays ? NumberColumn<Arrays[Letter]> : never)
  | (Letter extends 'u' ? TextColumn : never);

declare const letters: unique symbol;
/** A column's place among the columns; its type knows what is read there. */
export type Index<Letter extends string = string> = number & { readonly [letters]?: Letter };

/** What is read of columns, in their order. */
export type Read<Columns extends readonly Index[]> = {
  [Nth in keyof Columns]: Columns[Nth] extends Index<infer Letter> ? ColumnOf<Letter> : never;
};

// === errors ===

/** An error of the contract. Any other that is thrown is told as a defect of the stage. */
export class StageError extends Error {
  constructor(tag: string, value: unknown);
}
/** The configuration is wrong at a JSON Pointer such as `/column`. */
export function configError(pointer: string, message: string, help?: string): StageError;
/** A column does not fit. */
export function schemaError(column: string | undefined, message: string): StageError;
/** The data is wrong, and no single row can be rejected for it. */
export function dataError(message: string): StageError;

// === schemas ===

export interface Field {
  name: string;
  /** As in the Arrow C data interface. */
  format: string;
  flags: { nullable: boolean; dictionaryOrdered: boolean; mapKeysSorted: boolean; dictionaryEncoded: boolean };
  children: number;
  metadata: [string, string][];
}

/** The columns of a batch. */
export class Schema {
  readonly fields: readonly Field[];
  readonly names: readonly string[];
  /** The index of a column whose format is one of these letters: `l` int64, `g` float64, `u` utf8 … */
  index<Formats extends string>(name: string, formats: Formats, pointer?: string): Index<Letters<Formats>>;
  /** The index of a column, of whatever type, that is named or said by its index. */
  place(column: Index | string): Index;
}

export interface Input {
  name: string;
  schema: Schema;
}

/** The schema that all inputs have. */
export function sameSchema(inputs: readonly Input[]): Schema;

/** A way out; its type is the contract's business. */
export interface Port {
  name: string;
  schema: object;
}
/** A field of a port's schema. */
export function field(name: string, format: string, nullable?: boolean): Field;
/** A way out, of fields of the stage's own or of a schema that came in. */
export function port(fields: readonly Field[] | Schema, name?: string): Port;

// === batches ===

interface Column {
  readonly length: number;
  readonly nulls: number;
  /** One bit a row; undefined where no row is null. */
  readonly validity: Uint8Array | undefined;
  /** Whether a row is not null. */
  valid(row: number): boolean;
}

/** A column of numbers. What was read is the stage's own, to be worked on in place. */
export interface NumberColumn<Values extends NumberArray> extends Column {
  readonly values: Values;
}

/** A column of strings. */
export interface TextColumn extends Column {
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
  /** The string of a row, as bytes. */
  text(row: number): Uint8Array;
}

/** A batch that the host holds. What is not read stays there. */
export interface Frame {
  readonly rows: number;
  readonly input: number;
  readonly schema: Schema;
  /** Copies columns in, in one crossing. */
  read<const Columns extends readonly Index[]>(...columns: Columns): Read<Columns>;
  /** Every row and column of this batch, until told otherwise. */
  out(): Output;
}

/** One batch that leaves. Its methods answer it, so that they can be written one after the other. */
export interface Output {
  /** Only the rows whose bit is set; every made column has a value for each of those. */
  keep(bits: Uint8Array): Output;
  /** A typed array instead of a column, named or by index. */
  replace(column: Index | string, values: NumberArray, validity?: Uint8Array, nulls?: number): Output;
  /** The next column of fresh rows: numbers. */
  add(values: NumberArray, validity?: Uint8Array, nulls?: number): Output;
  /** The next column of fresh rows: strings as bytes, null as `undefined`. */
  addTexts(texts: readonly (Uint8Array | undefined)[]): Output;
  /** Refuses a row of the batch; it must be among the rows of no output. */
  reject(row: number, reason: string): Output;
}

/** Rows that are not rows of an input: every column is added, in order. */
export function fresh(rows: number, port?: number): Output;

// === stages ===

export interface Setting {
  type?: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object';
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  [keyword: string]: unknown;
}

/** JSON Schema of the configuration; defaults and types of settings are taken from here. */
export interface ConfigSchema {
  required?: readonly string[];
  properties?: { readonly [name: string]: Setting };
  [keyword: string]: unknown;
}

type Outputs = Output | Output[] | null | undefined | void;

/** What a stage has; `Config` is what `configSchema` lets through. */
export interface Stage<Config = {}> {
  /** Kebab-case. */
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  /** Markdown. */
  readonly documentation?: string;
  readonly configSchema?: ConfigSchema;
  /** Checks columns; may answer ports. Without any, what comes in leaves by `out`. */
  open?(config: Config, inputs: Input[]): Port[] | void;
  /** One batch; answers what to put out. */
  process(frame: Frame): Outputs;
  /** What is still held, until it answers nothing. */
  finish?(): Outputs;
  /** The stage remembers: what `restore` is given after `open`. */
  snapshot?(): Uint8Array;
  restore?(bytes: Uint8Array): void;
}

/** The interface that the component exports, of a stage. */
export function transform<Config>(stage: Stage<Config>): object;
