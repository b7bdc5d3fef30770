// Errors of the contract: each way to fail answers false, so that `return fail…(…)` ends a call.
import { layText } from "./layout";

const CONFIG: u8 = 0, SCHEMA: u8 = 1, DATA: u8 = 2, INTERNAL: u8 = 4;

export class Failure {
  constructor(private tag: u8, private where: string, private message: string, private help: string = "") {}

  /** `stage-error`, in the contract's layout. */
  lay(to: usize): void {
    store<u8>(to, this.tag);
    if (this.tag == CONFIG) {
      layText(to + 4, this.where);
      layText(to + 20, this.message); // without an offset before
      store<u8>(to, this.help.length > 0, 28);
      layText(to + 32, this.help);
    } else if (this.tag == SCHEMA) {
      store<u8>(to, this.where.length > 0, 4);
      layText(to + 8, this.where);
      layText(to + 16, this.message);
    } else {
      layText(to + 4, this.message);
    }
  }
}

export let failure: Failure | null = null;

export function forget(): void { failure = null; }

/** The configuration is wrong at a JSON Pointer such as `/column`; `help` says what to do about it. */
export function failConfig(pointer: string, message: string, help: string = ""): bool {
  failure = new Failure(CONFIG, pointer, message, help);
  return false;
}
/** A column does not fit; without a name, it is the whole schema. */
export function failSchema(column: string, message: string): bool {
  failure = new Failure(SCHEMA, column, message);
  return false;
}
/** The data is wrong, and no single row can be rejected for it. */
export function failData(message: string): bool {
  failure = new Failure(DATA, "", message);
  return false;
}
/** A defect of the stage itself. */
export function failInternal(message: string): bool {
  failure = new Failure(INTERNAL, "", message);
  return false;
}

const WORDS: usize = memory.data(24, 8);

/**
 * What `throw` and the language's own checks come to: the end of the instance, with words that the host tells. It finds them in
 * memory, after the mark `parshall:trapped`, which is put together only here.
 */
export function panic(message: string | null, file: string | null, line: u32, column: u32): void {
  // One that comes of telling another, where there is no memory left, has no words.
  if (load<u64>(WORDS) != 0) unreachable();
  store<u64>(WORDS, 0x6c6c616873726170);
  const said = message === null ? "" : message, where = file === null ? "" : `panicked at ${file}:${line}:${column}: `;
  const text = String.UTF8.encode(where + said);
  store<u64>(WORDS, 0x646570706172743a, 8);
  store<usize>(WORDS, changetype<usize>(text), 16);
  store<usize>(WORDS, text.byteLength, 20);
  unreachable();
}
