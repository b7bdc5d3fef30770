/**
 * Everything that a stage in JavaScript needs. A stage is an object, or a class, given to `transform`, whose answer is what
 * the component exports:
 *
 *     export const transform = parshall.transform({
 *       name: 'hello', version: '0.1.0', summary: 'Doubles the column `n`',
 *       configSchema: { type: 'object', properties: {…} },   // defaults and types of settings are taken from here
 *       open(config, inputs) { … },                          // checks columns; may answer ports
 *       process(frame) { … },                                // one batch; answers what to put out
 *       finish() { … },                                      // optional: what is still held, until it answers nothing
 *       snapshot() { … }, restore(bytes) { … },              // optional: the stage remembers
 *     });
 *
 * Columns are typed arrays over the bytes that the host copied in: numbers as `BigInt64Array`, `Float64Array` …
 */

/** Arrow's format letters of numbers, and the arrays for them. */
const ARRAYS = {
  c: Int8Array, C: Uint8Array, s: Int16Array, S: Uint16Array, i: Int32Array, I: Uint32Array,
  l: BigInt64Array, L: BigUint64Array, f: Float32Array, g: Float64Array,
};

/** An error of the contract: its case and what belongs to it. */
export class StageError extends Error {
  constructor(tag, value) {
    super(typeof value === 'string' ? value : value.message);
    this.told = { tag, val: value };
  }
}

/** The configuration is wrong at a JSON Pointer such as `/column`. */
export const configError = (pointer, message, help) => new StageError('config', { pointer, offset: null, message, help: help ?? null });
/** A column does not fit. */
export const schemaError = (column, message) => new StageError('schema', { column: column ?? null, message });
/** The data is wrong, and no single row can be rejected for it. */
export const dataError = (message) => new StageError('data', message);

/** The columns of a batch: `names`, and the contract's fields of each. */
export class Schema {
  constructor(raw) {
    this.raw = raw;
    this.fields = [];
    for (let at = 0; at < raw.fields.length; at = this.#after(at)) this.fields.push(raw.fields[at]);
    this.names = this.fields.map((field) => field.name);
  }

  #after(at) {
    const field = this.raw.fields[at++];
    if (field.flags.dictionaryEncoded) at = this.#after(at);
    for (let child = 0; child < field.children; child++) at = this.#after(at);
    return at;
  }

  /** The index of a column whose format is one of these letters: `l` int64, `g` float64, `u` utf8 … */
  index(name, formats, pointer = '') {
    const index = this.names.indexOf(name);
    if (index < 0) throw configError(pointer, `there is no column \`${name}\``, `the columns are \`${this.names.join('`, `')}\``);
    const { format, flags } = this.fields[index];
    if (!formats.includes(format) || flags.dictionaryEncoded) {
      throw schemaError(name, `expected a type of format ${[...formats].join(' or ')}, found ${format}`);
    }
    return index;
  }
}

/** The schema that all inputs have. */
export function sameSchema(inputs) {
  if (inputs.length === 0) throw configError('', 'the stage has no input');
  const shape = ({ schema }) => JSON.stringify(schema.raw.fields.map((field) => [field.name, field.format]));
  for (const other of inputs) {
    if (shape(other) !== shape(inputs[0])) throw schemaError(undefined, `input \`${other.name}\` has other columns than \`${inputs[0].name}\``);
  }
  return inputs[0].schema;
}

/** A column. Of numbers, `values` is a typed array; of strings, `offsets` and `bytes` are. */
export class Column {
  constructor(format, node, buffers) {
    this.length = Number(node.length);
    this.nulls = Number(node.nullCount);
    this.validity = buffers[0].length > 0 ? buffers[0] : undefined;
    if (format === 'u') {
      this.offsets = view(Int32Array, buffers[1], this.length + 1);
      this.bytes = buffers[2];
    } else {
      this.values = view(ARRAYS[format], buffers[1], this.length);
    }
  }

  /** Whether a row is not null. */
  valid(row) {
    return this.validity === undefined || ((this.validity[row >> 3] >> (row & 7)) & 1) === 1;
  }

  /** The string of a row, as bytes. */
  text(row) {
    return this.bytes.subarray(this.offsets[row], this.offsets[row + 1]);
  }
}

/** Bytes as values, copied where they do not lie aligned. */
function view(type, bytes, length) {
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, length);
}

const raw = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** A batch that the host holds. What is not read stays there. */
export class Frame {
  #raw;

  constructor(handle, rows, input, schema) {
    this.#raw = handle;
    this.rows = Number(rows);
    this.input = input;
    this.schema = schema;
  }

  /** Copies columns in, by name or index, in one crossing. */
  read(...columns) {
    const indices = columns.map((column) => (typeof column === 'string' ? this.schema.names.indexOf(column) : column));
    const arrays = this.#raw.read(new Uint32Array(indices));
    let at = 0;
    return indices.map((index, nth) => {
      const { format } = this.schema.fields[index];
      const buffers = arrays.buffers.slice(at, (at += format === 'u' ? 3 : 2));
      return new Column(format, arrays.nodes[nth], buffers);
    });
  }

  /** Every row and column of this batch, until told otherwise. */
  out() {
    return new Output(this.schema.names);
  }
}

/** One batch that leaves. Its methods answer it, so that they can be written one after the other. */
export class Output {
  constructor(names, port = 0) {
    this.names = names;
    this.port = port;
    this.rows = { tag: 'all' };
    this.sources = names.map((_, index) => ({ tag: 'input', val: index }));
    this.untouched = true;
    this.nodes = [];
    this.buffers = [];
    this.rejections = [];
  }

  /** Only the rows whose bit is set; every made column has a value for each of those. */
  keep(bits) {
    this.rows = { tag: 'bitmap', val: bits };
    return this;
  }

  /** A typed array instead of a column, named or by index. */
  replace(column, values, validity, nulls = 0) {
    this.untouched = false;
    this.sources[typeof column === 'string' ? this.names.indexOf(column) : column] = { tag: 'made' };
    return this.#made(values.length, validity, nulls, raw(values));
  }

  /** The next column of fresh rows: numbers. */
  add(values, validity, nulls = 0) {
    this.sources.push({ tag: 'made' });
    return this.#made(values.length, validity, nulls, raw(values));
  }

  /** The next column of fresh rows: strings as bytes, null as `undefined`. */
  addTexts(texts) {
    const offsets = new Int32Array(texts.length + 1);
    const validity = new Uint8Array((texts.length + 7) >> 3);
    let nulls = 0;
    texts.forEach((text, row) => {
      offsets[row + 1] = offsets[row] + (text?.length ?? 0);
      if (text === undefined) nulls++;
      else validity[row >> 3] |= 1 << (row & 7);
    });
    const bytes = new Uint8Array(offsets[texts.length]);
    texts.forEach((text, row) => text && bytes.set(text, offsets[row]));
    this.sources.push({ tag: 'made' });
    return this.#made(texts.length, validity, nulls, raw(offsets), bytes);
  }

  #made(length, validity, nulls, ...buffers) {
    const some = validity !== undefined && nulls > 0;
    // A u64 is a number on this boundary: exact up to 2^53.
    this.nodes.push({ length, nullCount: some ? nulls : 0, variadic: 0 });
    this.buffers.push(some ? validity : new Uint8Array(0), ...buffers);
    return this;
  }

  /** Refuses a row of the batch; it must be among the rows of no output. */
  reject(row, reason) {
    this.rejections.push({ row, reason });
    return this;
  }

  raw() {
    const columns = this.untouched ? { tag: 'untouched' } : { tag: 'each', val: this.sources };
    return { port: this.port, rows: this.rows, columns, made: { nodes: this.nodes, buffers: this.buffers } };
  }
}

/** Rows that are not rows of an input: every column is added, in order. */
export function fresh(rows, port = 0) {
  const output = new Output([], port);
  output.rows = { tag: 'fresh', val: rows };
  output.untouched = false;
  return output;
}

/** A field of a port's schema. */
export const field = (name, format, nullable = false) => ({
  name, format, flags: { nullable, dictionaryOrdered: false, mapKeysSorted: false, dictionaryEncoded: false }, children: 0, metadata: [],
});

/** A way out, of fields of the stage's own or of a schema that came in. */
export const port = (fields, name = 'out') => ({ name, schema: fields instanceof Schema ? fields.raw : { fields, metadata: [] } });

// === configuration ===

const fits = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

function readConfig(schema, text) {
  const config = JSON.parse(text);
  const properties = schema.properties ?? {};
  for (const [name, value] of Object.entries(config)) {
    const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const setting = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (setting === undefined) throw configError(pointer, 'there is no such setting');
    if (setting.type && !fits[setting.type](value)) throw configError(pointer, `expected ${setting.type}`);
    if (setting.enum && !setting.enum.includes(value)) throw configError(pointer, `expected one of ${JSON.stringify(setting.enum)}`);
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(config, name)) throw configError('', `\`${name}\` is missing`);
  }
  for (const [name, setting] of Object.entries(properties)) {
    if (setting.default !== undefined) config[name] ??= setting.default;
  }
  return config;
}

// === what the host calls ===

/** What was thrown, in the contract's terms: a defect is told in words, not by a trap. */
function told(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof StageError) throw error.told;
    throw { tag: 'internal', val: String(error) };
  }
}

function answer(outputs) {
  const all = outputs === undefined || outputs === null ? [] : [outputs].flat();
  return { outputs: all.map((output) => output.raw()), rejections: all.flatMap((output) => output.rejections) };
}

/** The interface that the component exports, of a stage. */
export function transform(stage) {
  const schema = { type: 'object', additionalProperties: false, ...stage.configSchema };
  let schemas = [];
  return {
    describe: () => ({
      name: stage.name,
      version: stage.version,
      summary: stage.summary,
      documentation: stage.documentation ?? '',
      configSchema: JSON.stringify(schema),
      stateful: stage.snapshot !== undefined,
    }),
    open: (config, inputs, restore) => told(() => {
      const known = inputs.map(({ name, schema }) => ({ name, schema: new Schema(schema) }));
      schemas = known.map((input) => input.schema);
      const ports = stage.open?.(readConfig(schema, config), known);
      if (restore !== undefined && restore !== null && stage.restore) stage.restore(restore);
      return ports ?? [port(sameSchema(known))];
    }),
    process: (input, rows, frame) => told(() => answer(stage.process(new Frame(frame, rows, input, schemas[input])))),
    finish: () => told(() => {
      const outputs = stage.finish?.();
      return outputs === undefined || outputs === null ? null : answer(outputs);
    }),
    snapshot: () => told(() => stage.snapshot?.() ?? new Uint8Array(0)),
  };
}
