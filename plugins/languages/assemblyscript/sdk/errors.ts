// Errors of the contract: each way to fail answers false, so that `return fail…(…)` ends a call.
import { layText } from "./layout";

const CONFIG: u8 = 0, SCHEMA: u8 = 1, DATA: u8 = 2, INTERNAL: u8 = 4;

export class Failure {
  constructor(private tag: u8, private where: string, private message: string) {}

  /** `stage-error`, in the contract's layout. */
  lay(to: usize): void {
    store<u8>(to, this.tag);
    if (this.tag == CONFIG) {
      layText(to + 4, this.where);
      layText(to + 20, this.message); // without an offset before and help behind
    } else if (this.tag == SCHEMA) {
      store<u8>(to, 1, 4);
      layText(to + 8, this.where);
      layText(to + 16, this.message);
    } else {
      layText(to + 4, this.message);
    }
  }
}

export let failure: Failure | null = null;

export function forget(): void { failure = null; }

/** The configuration is wrong at a JSON Pointer such as `/column`. */
export function failConfig(pointer: string, message: string): bool {
  failure = new Failure(CONFIG, pointer, message);
  return false;
}
/** A column does not fit. */
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
