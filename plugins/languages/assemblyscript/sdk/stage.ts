// What a stage is.
import { Config } from "./config";
import { Frame } from "./frame";
import { Input } from "./schema";

/** What a stage says of itself. */
export class Description {
  documentation: string = "";
  constructor(
    /** Kebab-case. */
    public name: string,
    public version: string,
    public summary: string,
    /** JSON Schema of the configuration; without it, there are no settings. */
    public configSchema: string = '{"type": "object", "additionalProperties": false}',
  ) {}
}

export abstract class Stage {
  abstract describe(): Description;
  /** Whether it remembers: then `snapshot` is asked, and `restore` told after `open`. */
  stateful(): bool { return false; }
  /** Checks settings and columns; without a call of `port`, what comes in leaves by `out`. */
  abstract open(config: Config, inputs: Input[]): bool;
  /** One batch; what is put out is an `Output`. */
  abstract process(frame: Frame): bool;
  /** Puts out what is still held; false when nothing is left. */
  finish(): bool { return false; }
  snapshot(): Uint8Array { return new Uint8Array(0); }
  restore(bytes: Uint8Array): bool { return bytes.length == 0; }
}

let made: Stage | null = null;

/** Makes a stage the transform that this component is. */
export function transform(stage: Stage): void { made = stage; }

/** What `transform` was told. */
export function stage(): Stage { return made!; }
