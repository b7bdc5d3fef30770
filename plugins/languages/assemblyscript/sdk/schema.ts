// Columns by name, and ports.
import { failConfig, failSchema } from "./errors";
import { lay, layText, textAt } from "./layout";
import { allocate } from "./memory";

export const NULLABLE: u8 = 1;
const DICTIONARY_ENCODED: u8 = 8;

/** One field of a schema; `format` is that of the Arrow C data interface. */
export class Field {
  constructor(public name: string, public format: string, public flags: u8 = 0) {}
}

const FIELD = 32;

/** The columns of a batch. */
export class Schema {
  fields: Field[] = [];
  /** The contract's fields, nested ones among them. */
  constructor(public raw: usize, public count: i32) {
    for (let at = 0; at < count; at = this.after(at)) {
      const field = raw + at * FIELD;
      this.fields.push(new Field(textAt(field), textAt(field + 8), load<u8>(field, 16)));
    }
  }

  private after(at: i32): i32 {
    const field = this.raw + at++ * FIELD;
    if (load<u8>(field, 16) & DICTIONARY_ENCODED) at = this.after(at);
    for (let children = load<u32>(field, 20); children > 0; children--) at = this.after(at);
    return at;
  }

  /**
   * The index of a column of one of the formats in a list such as "lg"; -1 is a failure, and told already. What is wrong with the
   * name stands at `pointer` in the configuration; where that is "", it is told of the column.
   */
  index(name: string, formats: string, pointer: string = ""): i32 {
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i];
      if (field.name != name) continue;
      const dictionary = (field.flags & DICTIONARY_ENCODED) != 0;
      if (field.format.length == 1 && formats.includes(field.format) && !dictionary) return i;
      const found = dictionary ? "a dictionary of " + typeName(this.dictionary(i)) : typeName(field.format);
      failSchema(name, `expected ${expected(formats)}, found ${found}`);
      return -1;
    }
    if (pointer.length == 0) failSchema(name, "there is no such column; " + this.names());
    else failConfig(pointer, `there is no column \`${name}\``, this.names());
    return -1;
  }

  /** The format of a dictionary's values, which follow its keys. */
  private dictionary(column: i32): string {
    let at = 0;
    while (column-- > 0) at = this.after(at);
    return textAt(this.raw + (at + 1) * FIELD + 8);
  }

  /** The columns that there are, of many only the first. */
  private names(): string {
    const count = this.fields.length, more = count - MOST_NAMED;
    if (count == 0) return "the input has no columns";
    let named = this.fields[0].name;
    for (let i = 1; i < min(count, MOST_NAMED); i++) named += "`, `" + this.fields[i].name;
    return `the columns are \`${named}\`` + (more > 0 ? ` and ${more} more` : "");
  }
}

const MOST_NAMED = 20;

/** A type as a person reads it, with its letter: `int64 (l)`. */
export function typeName(format: string): string {
  const words = TYPE_NAMES.split(" "), letters = format.split(":")[0];
  for (let i = 0; i < words.length; i += 2) if (words[i] == letters) return `${words[i + 1]} (${format})`;
  return `a type of the format \`${format}\``;
}

/** `int64 (l) or float64 (g)`, of a list such as "lg". */
function expected(formats: string): string {
  const all: string[] = [];
  for (let i = 0; i < formats.length; i++) all.push(typeName(formats.charAt(i)));
  return all.join(" or ");
}

/** Words for the letters of the Arrow C data interface; what stands behind a colon is a parameter. */
const TYPE_NAMES =
  "n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64 " +
  "z binary Z large_binary vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64 " +
  "tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns] " +
  "tiM interval[year_month] tiD interval[day_time] tin interval[month_day_nano] " +
  "tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary " +
  "+l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union";

export class Input {
  constructor(public name: string, public schema: Schema) {}
}

/** The schema that all inputs have; null is a failure, and told already. */
export function sameSchema(inputs: Input[]): Schema | null {
  if (inputs.length == 0) {
    failConfig("", "the stage has no input");
    return null;
  }
  const first = inputs[0].schema.fields;
  for (let i = 1; i < inputs.length; i++) {
    const other = inputs[i].schema.fields;
    let same = other.length == first.length;
    for (let at = 0; same && at < first.length; at++) same = first[at].name == other[at].name && first[at].format == other[at].format;
    if (!same) {
      failSchema("", `input \`${inputs[i].name}\` has other columns than \`${inputs[0].name}\``);
      return null;
    }
  }
  return inputs[0].schema;
}

class Port {
  constructor(public name: string, public raw: usize, public count: i32) {}
}
let ports: Port[] = [];

export function forgetPorts(): void { ports = []; }
export function hasPorts(): bool { return ports.length > 0; }

/** The ports, in the contract's layout. */
export function layPorts(to: usize): void {
  const laid = allocate(ports.length * 24);
  for (let i = 0; i < ports.length; i++) {
    layText(laid + i * 24, ports[i].name);
    lay(laid + i * 24 + 8, ports[i].raw, ports[i].count);
    lay(laid + i * 24 + 16, 0, 0);
  }
  lay(to, laid, ports.length);
}

/** A way out, by which a schema that came in leaves. */
export function port(name: string, schema: Schema): bool {
  ports.push(new Port(name, schema.raw, schema.count));
  return true;
}

/** A way out, of fields of the stage's own. */
export function portOf(name: string, fields: Field[]): bool {
  const raw = allocate(fields.length * FIELD);
  for (let i = 0; i < fields.length; i++) {
    const at = raw + i * FIELD;
    layText(at, fields[i].name);
    layText(at + 8, fields[i].format);
    store<u8>(at, fields[i].flags, 16);
    store<u32>(at, 0, 20);
    lay(at + 24, 0, 0);
  }
  ports.push(new Port(name, raw, fields.length));
  return true;
}
