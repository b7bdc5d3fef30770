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

// Dates, times and durations are whole numbers of their unit.
const DAYS = ['tdD', 'tts', 'ttm'];
const INSTANTS = ['tdm', 'ttu', 'ttn', 'tDs', 'tDm', 'tDu', 'tDn', 'tss', 'tsm', 'tsu', 'tsn'];
for (const letters of DAYS) ARRAYS[letters] = Int32Array;
for (const letters of INSTANTS) ARRAYS[letters] = BigInt64Array;

/** The typed array for a type; what stands behind a colon is a parameter. */
const arrayOf = (format) => ARRAYS[format.split(':')[0]];

/** What people call types, by their letters. */
const NAMES = Object.fromEntries((
  'n null,b bool,c int8,C uint8,s int16,S uint16,i int32,I uint32,l int64,L uint64,e float16,f float32,g float64,z binary,Z large_binary,' +
  'vz binary_view,u utf8,U large_utf8,vu utf8_view,tdD date32,tdm date64,tts time32[s],ttm time32[ms],ttu time64[us],ttn time64[ns],' +
  'tDs duration[s],tDm duration[ms],tDu duration[us],tDn duration[ns],tiM interval[year_month],tiD interval[day_time],' +
  'tin interval[month_day_nano],tss timestamp[s],tsm timestamp[ms],tsu timestamp[us],tsn timestamp[ns],d decimal,w fixed_size_binary,' +
  '+l list,+L large_list,+vl list_view,+vL large_list_view,+w fixed_size_list,+s struct,+m map,+r run_end_encoded,+ud union,+us union'
).split(',').map((pair) => pair.split(' ')));

/** A type as a person reads it, with its letter: `int64 (l)`. */
function typeName(format) {
  const name = NAMES[format.split(':')[0]];
  return name ? `${name} (${format})` : `a type of the format \`${format}\``;
}

/** So many names are told where one is not found. */
const MOST_NAMED = 20;

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
    this.types = [];
    for (let at = 0; at < raw.fields.length; at = this.#after(at)) {
      const field = raw.fields[at];
      this.fields.push(field);
      // The values of a dictionary follow its keys.
      this.types.push(field.flags.dictionaryEncoded ? `a dictionary of ${typeName(raw.fields[at + 1].format)}` : typeName(field.format));
    }
    this.names = this.fields.map((field) => field.name);
  }

  #after(at) {
    const field = this.raw.fields[at++];
    if (field.flags.dictionaryEncoded) at = this.#after(at);
    for (let child = 0; child < field.children; child++) at = this.#after(at);
    return at;
  }

  /** The index of a column whose format is one of these letters: `l` int64, `g` float64, `u` utf8 …; `pointer` is the setting that names it. */
  index(name, formats, pointer = '') {
    const index = this.names.indexOf(name);
    if (index < 0) throw this.#unknown(name, pointer);
    const { format, flags } = this.fields[index];
    if (!formats.includes(format) || flags.dictionaryEncoded) {
      throw schemaError(name, `expected ${[...formats].map(typeName).join(' or ')}, found ${this.types[index]}`);
    }
    return index;
  }

  /** The index of a column, of whatever type, that is named or said by its index. */
  place(column) {
    const index = typeof column === 'string' ? this.names.indexOf(column) : column;
    if (typeof column === 'string' && index < 0) throw this.#unknown(column, '');
    if (!(index in this.names)) throw new RangeError(`there is no column ${index}: there are ${this.names.length}, from 0 on`);
    return index;
  }

  #unknown(name, pointer) {
    const named = this.names.slice(0, MOST_NAMED).join('`, `');
    const more = this.names.length > MOST_NAMED ? ` and ${this.names.length - MOST_NAMED} more` : '';
    const there = this.names.length > 0 ? `the columns are \`${named}\`${more}` : 'the input has no columns';
    return pointer ? configError(pointer, `there is no column \`${name}\``, there) : schemaError(name, `there is no such column; ${there}`);
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
      this.values = view(arrayOf(format), buffers[1], this.length);
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
    const indices = columns.map((column) => this.schema.place(column));
    for (const index of indices) {
      const { name, format, flags } = this.schema.fields[index];
      if (flags.dictionaryEncoded || !(format === 'u' || arrayOf(format))) {
        throw schemaError(name, `expected a type that this SDK reads (numbers, utf8, dates and times), found ${this.schema.types[index]}`);
      }
    }
    const arrays = this.#crossed(indices);
    let at = 0;
    return indices.map((index, nth) => {
      const { format } = this.schema.fields[index];
      const buffers = arrays.buffers.slice(at, (at += format === 'u' ? 3 : 2));
      return new Column(format, arrays.nodes[nth], buffers);
    });
  }

  #crossed(indices) {
    try {
      return this.#raw.read(new Uint32Array(indices));
    } catch (error) {
      const named = indices.map((index) => `\`${this.schema.names[index]}\``).join(', ');
      const { tag, val } = error.payload ?? {};
      if (tag !== 'too-large') throw dataError(`${named} cannot be read: ${described(error)}`);
      throw dataError(
        `${named} of this batch (${this.rows} rows) are more than the limit \`read_bytes\` of ${val} bytes: ` +
          'read fewer columns, have smaller batches, or raise `limits.read_bytes` of this stage',
      );
    }
  }

  /** Every row and column of this batch, until told otherwise. */
  out() {
    return new Output(this.schema.names, 0, this.schema);
  }
}

/** One batch that leaves. Its methods answer it, so that they can be written one after the other. */
export class Output {
  constructor(names, port = 0, schema = undefined) {
    this.schema = schema;
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
    const index = this.schema ? this.schema.place(column) : column;
    this.#fits(index, values);
    this.untouched = false;
    this.sources[index] = { tag: 'made' };
    return this.#made(values.length, validity, nulls, raw(values));
  }

  /** The next column of fresh rows: numbers. */
  add(values, validity, nulls = 0) {
    this.#fits(this.sources.length, values);
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

  /** Values of another type would be read as what they are not. */
  #fits(index, values) {
    const field = ports[this.port]?.fields[index];
    if (field === undefined) return;
    const wanted = arrayOf(field.format);
    const float = (type) => type === Float32Array || type === Float64Array;
    const type = values?.constructor;
    if (wanted && ArrayBuffer.isView(values) && type.BYTES_PER_ELEMENT === wanted.BYTES_PER_ELEMENT && float(type) === float(wanted)) return;
    const found = values === undefined || values === null ? String(values) : `${/^[AEIOU]/.test(type.name) ? 'an' : 'a'} ${type.name}`;
    throw new TypeError(`column "${field.name}": expected ${wanted ? `a ${wanted.name}` : 'no numbers'} for ${typeName(field.format)}, found ${found}`);
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
    if (setting === undefined) {
      const names = Object.keys(properties);
      const known = names.length > 0 ? `the settings are \`${names.join('`, `')}\`` : 'the stage has no settings';
      throw configError(pointer, 'there is no such setting', known);
    }
    const found = `found ${JSON.stringify(value)}`;
    if (setting.type && !fits[setting.type](value)) throw configError(pointer, `expected ${setting.type}, ${found}`);
    if (setting.enum && !setting.enum.includes(value)) throw configError(pointer, `expected one of ${JSON.stringify(setting.enum)}, ${found}`);
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

/** What was thrown, in the contract's terms: a defect is told in words, with its place, not by a trap. */
function told(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof StageError) throw error.told;
    const places = placesOf(error);
    throw { tag: 'internal', val: described(error) + (places.length > 0 ? `, at ${places.join(', called at ')}` : '') };
  }
}

/** Of what was thrown, at most so many characters are told, and so many places of the stage's own code, the innermost first. */
const MOST_TOLD = 1000;
const MOST_PLACES = 3;

/** What was thrown, whatever it is: its type and what it says. */
function described(thrown) {
  if (thrown?.payload !== undefined) return `${thrown.name ?? 'Error'}: ${short(thrown.payload)}`;
  if (!(thrown instanceof Error)) return `thrown: ${short(thrown)}`;
  const cause = thrown.cause === undefined ? '' : `; it came of ${described(thrown.cause)}`;
  return `${thrown.name}: ${thrown.message}${cause}`;
}

function short(value) {
  let text;
  try {
    text = typeof value === 'object' ? JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) : undefined;
  } catch {
    // It holds itself.
  }
  return (text ?? String(value)).slice(0, MOST_TOLD);
}

/** `stage.js:12 (process)`: of the stage's own code, as both engines write a stack. */
function placesOf(error) {
  const lines = String(error?.stack ?? '').split('\n');
  // What stands behind is what has called the stage: the function of this module, and its closure.
  const called = lines.findIndex((line) => /^\s*(at )?told\b/.test(line));
  const places = lines.slice(0, called < 0 ? undefined : Math.max(called - 1, 0)).map((line) => {
    const [, name, file, row] = /^\s*(?:at )?(.*?)(?: \(|@)\/?(.*?):(\d+)(?::\d+)?\)?$/.exec(line) ?? [];
    return file === undefined || /(^|\/)(parshall|initializer)\.js$/.test(file) ? undefined : `${file}:${row} (${name || 'top level'})`;
  });
  return places.filter((place) => place !== undefined).slice(0, MOST_PLACES);
}

function answer(outputs) {
  const all = outputs === undefined || outputs === null ? [] : [outputs].flat();
  const stranger = all.find((output) => typeof output?.raw !== 'function');
  if (stranger !== undefined) throw new TypeError(`a stage answers outputs, an array of them, or nothing, not ${short(stranger)}`);
  return { outputs: all.map((output) => output.raw()), rejections: all.flatMap((output) => output.rejections) };
}

/** The schemas of the ports that the stage has opened: a component is one stage, and is opened once. */
let ports = [];

/** What no stage can be without: said where the module is read, which is when it is built. */
function complete(stage) {
  const texts = ['name', 'version', 'summary'].filter((key) => typeof stage?.[key] !== 'string');
  const lacking = typeof stage?.process === 'function' ? texts : [...texts, 'process(frame)'];
  if (lacking.length > 0) {
    throw new TypeError(`parshall.transform({ … }) lacks ${lacking.join(', ')}: a stage has texts name, version and summary, and process(frame)`);
  }
}

/** The interface that the component exports, of a stage. */
export function transform(stage) {
  complete(stage);
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
      const opened = stage.open?.(readConfig(schema, config), known);
      if (restore !== undefined && restore !== null && stage.restore) stage.restore(restore);
      const declared = opened ?? [port(sameSchema(known))];
      ports = declared.map(({ schema }) => new Schema(schema));
      return declared;
    }),
    process: (input, rows, frame) => told(() => answer(stage.process(new Frame(frame, rows, input, schemas[input])))),
    finish: () => told(() => {
      const outputs = stage.finish?.();
      return outputs === undefined || outputs === null ? null : answer(outputs);
    }),
    snapshot: () => told(() => stage.snapshot?.() ?? new Uint8Array(0)),
  };
}
