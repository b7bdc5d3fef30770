// Lists and strings as the contract lays them.
import { allocate } from "./memory";

/** A list: where it begins and how many there are. */
export function lay(to: usize, at: usize, length: usize): void {
  store<usize>(to, at);
  store<usize>(to, length, 4);
}

export function layText(to: usize, text: string): void {
  const length = String.UTF8.byteLength(text);
  const at = allocate(length);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
  lay(to, at, length);
}

export function textAt(from: usize): string { return String.UTF8.decodeUnsafe(load<usize>(from), load<usize>(from, 4)); }
