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

  /** The index of a column of one of the formats in a list such as "lg"; -1 is a failure, and told already. */
  index(name: string, formats: string, pointer: string = ""): i32 {
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i];
      if (field.name != name) continue;
      if (field.format.length == 1 && formats.includes(field.format) && !(field.flags & DICTIONARY_ENCODED)) return i;
      failSchema(name, `expected a type of format ${formats}, found ${field.format}`);
      return -1;
    }
    failConfig(pointer, `there is no column \`${name}\``);
    return -1;
  }
}

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
      failSchema(inputs[i].name, `this input has other columns than \`${inputs[0].name}\``);
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
