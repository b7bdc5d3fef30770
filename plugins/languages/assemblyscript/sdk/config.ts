// The configuration: the members of a JSON object that the host has found well-formed.
import { failConfig } from "./errors";

/** A setting as it is written, or what a string says. */
class Setting {
  asked: bool = false;
  constructor(public text: string, public kind: i32) {}
}

const STRING = 0, NUMBER = 1, OTHER = 2;

/** The way to a setting as a JSON Pointer. */
export function pointerOf(name: string): string { return "/" + name.replaceAll("~", "~0").replaceAll("/", "~1"); }

/** Settings, asked for by name: a wrong one is a failure, which `done` tells, as it does of one that nobody asked for. */
export class Config {
  private settings: Map<string, Setting> = new Map();
  private at: i32 = 0;
  private failed: bool = false;

  constructor(private text: string) {
    this.blank();
    for (this.at++, this.blank(); this.at < text.length && text.charCodeAt(this.at) == 0x22; this.blank()) {
      const name = this.quoted();
      this.blank();
      this.at++; // `:`
      this.blank();
      this.settings.set(name, this.value());
      this.blank();
      this.at++; // `,` or `}`
    }
  }

  has(name: string): bool { return this.settings.has(name); }

  string(name: string, otherwise: string | null = null): string {
    const setting = this.find(name, otherwise === null);
    if (setting === null) return otherwise === null ? "" : otherwise;
    if (setting.kind != STRING) this.fail(pointerOf(name), "expected a string");
    return setting.text;
  }

  number(name: string, otherwise: f64 = NaN): f64 {
    const setting = this.find(name, isNaN(otherwise));
    if (setting === null) return otherwise;
    if (setting.kind != NUMBER) this.fail(pointerOf(name), "expected a number");
    return F64.parseFloat(setting.text);
  }

  /** Which of some words it is; the first where nothing is said. */
  word(name: string, words: string[]): i32 {
    const setting = this.find(name, false);
    if (setting === null) return 0;
    const found = setting.kind == STRING ? words.indexOf(setting.text) : -1;
    if (found < 0) this.fail(pointerOf(name), "expected one of `" + words.join("`, `") + "`");
    return found;
  }

  /** Whether nothing was wrong and nothing is left. */
  done(): bool {
    const names = this.settings.keys();
    for (let i = 0; i < names.length && !this.failed; i++) {
      if (!this.settings.get(names[i]).asked) this.fail(pointerOf(names[i]), "there is no such setting");
    }
    return !this.failed;
  }

  private find(name: string, required: bool): Setting | null {
    if (!this.settings.has(name)) {
      if (required) this.fail("", "`" + name + "` is missing");
      return null;
    }
    const setting = this.settings.get(name);
    setting.asked = true;
    return setting;
  }

  /** The first that is wrong is told. */
  private fail(pointer: string, message: string): void {
    if (!this.failed) failConfig(pointer, message);
    this.failed = true;
  }

  // --- JSON ---

  private blank(): void {
    while (this.at < this.text.length && this.text.charCodeAt(this.at) <= 0x20) this.at++;
  }

  private quoted(): string {
    const text = this.text;
    let said = "", from = ++this.at;
    while (text.charCodeAt(this.at) != 0x22) {
      if (text.charCodeAt(this.at) != 0x5c) {
        this.at++;
        continue;
      }
      said += text.substring(from, this.at) + this.escaped();
      from = this.at;
    }
    said += text.substring(from, this.at++);
    return said;
  }

  private escaped(): string {
    const letter = this.text.charAt(this.at + 1);
    this.at += 2;
    if (letter == "u") {
      this.at += 4;
      return String.fromCharCode(<i32>parseInt(this.text.substring(this.at - 4, this.at), 16));
    }
    if (letter == "n") return "\n";
    if (letter == "t") return "\t";
    if (letter == "r") return "\r";
    if (letter == "b") return "\b";
    if (letter == "f") return "\f";
    return letter;
  }

  private value(): Setting {
    const text = this.text, from = this.at, first = text.charCodeAt(from);
    if (first == 0x22) return new Setting(this.quoted(), STRING);
    for (let depth = 0; this.at < text.length; this.at++) {
      const letter = text.charCodeAt(this.at);
      if (letter == 0x22) {
        this.quoted();
        this.at--;
      } else if (letter == 0x7b || letter == 0x5b) depth++;
      else if (letter == 0x7d || letter == 0x5d || letter == 0x2c) {
        if (depth == 0) break;
        if (letter != 0x2c) depth--;
      }
    }
    return new Setting(text.substring(from, this.at).trimEnd(), first == 0x2d || (first >= 0x30 && first <= 0x39) ? NUMBER : OTHER);
  }
}
