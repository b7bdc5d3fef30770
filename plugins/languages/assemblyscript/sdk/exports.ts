// What the host calls: the exports of the contract, each with its arguments flattened and its result at one address. `names.mjs`
// gives them the names that the contract has for them.
import { forgetAnswer, layAnswer, widthIs } from "./answer";
import { Config } from "./config";
import { failInternal, failure, forget } from "./errors";
import { Frame } from "./frame";
import { lay, layText, textAt } from "./layout";
import { allocate, over as callIsOver } from "./memory";
import { Input, Schema, forgetPorts, hasPorts, layPorts, port, sameSchema } from "./schema";
import { stage } from "./stage";

/** Room for the largest result. */
const RETURNED: usize = memory.data(64, 8);

function begin(): void {
  memory.fill(RETURNED, 0, 64);
  forget();
  forgetAnswer();
}

function end(ok: bool): usize {
  if (!ok && failure === null) failInternal("the stage failed without saying why");
  if (!ok) {
    store<u8>(RETURNED, 1);
    failure!.lay(RETURNED + 4);
  }
  return RETURNED;
}

export function describe(): usize {
  begin();
  const said = stage().describe();
  layText(RETURNED, said.name);
  layText(RETURNED + 8, said.version);
  layText(RETURNED + 16, said.summary);
  layText(RETURNED + 24, said.documentation);
  layText(RETURNED + 32, said.configSchema);
  store<u8>(RETURNED, stage().stateful(), 40);
  return RETURNED;
}

export function open(
  config: usize, configLength: i32, inputs: usize, inputsLength: i32, restores: i32, restore: usize, restoreLength: i32,
): usize {
  begin();
  forgetPorts();
  const known: Input[] = [];
  for (let i = 0; i < inputsLength; i++, inputs += 24) {
    known.push(new Input(textAt(inputs), new Schema(load<usize>(inputs, 8), load<i32>(inputs, 12))));
  }
  widthIs(known.length > 0 ? known[0].schema.fields.length : 0);
  const settings = new Config(String.UTF8.decodeUnsafe(config, configLength));
  return end(opened(settings, known, restores != 0, restore, restoreLength));
}

function opened(config: Config, inputs: Input[], restores: bool, restore: usize, restoreLength: i32): bool {
  const opening = stage();
  if (!opening.open(config, inputs)) return false;
  if (!hasPorts()) {
    const schema = sameSchema(inputs);
    if (schema === null || !port("out", schema)) return false;
  }
  if (restores) {
    const bytes = new Uint8Array(restoreLength);
    memory.copy(bytes.dataStart, restore, restoreLength);
    if (!opening.restore(bytes)) return failure === null ? failInternal("these bytes are no snapshot of this stage") : false;
  }
  layPorts(RETURNED + 4);
  return true;
}

export function process(input: i32, rows: u64, handle: u32): usize {
  begin();
  const frame = new Frame(handle, input, <i32>rows);
  const ok = stage().process(frame);
  frame.drop();
  if (ok) layAnswer(RETURNED + 4);
  return end(ok);
}

export function finish(): usize {
  begin();
  if (stage().finish()) {
    store<u8>(RETURNED, 1, 4);
    layAnswer(RETURNED + 8);
  }
  return end(failure === null);
}

export function snapshot(): usize {
  begin();
  const bytes = stage().snapshot();
  const at = allocate(bytes.length);
  memory.copy(at, bytes.dataStart, bytes.length);
  lay(RETURNED + 4, at, bytes.length);
  return end(failure === null);
}

/** After each call. */
export function over(result: usize): void { callIsOver(); }

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  const at = allocate(<i32>size);
  if (oldSize) memory.copy(at, old, min(oldSize, size));
  return at;
}
