import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The scripts lie in `lua/redis/` of the package, one a file; each says at its top what goes in and what comes out. */
const FOLDER = new URL("../../../lua/redis/", import.meta.url);

export type ScriptName =
  | ("create" | "load" | "commit" | "rotate")
  | ("revoke" | "revoke-subject" | "revoke-bucket")
  | ("page" | "due" | "sweep" | "settle")
  | ("renew-owner" | "retire-owner" | "owners");

export interface Script {
  readonly text: string;
  /** By which the server knows the text once it has seen it. */
  readonly sha: string;
}

/** The scripts with what stands before each of them: the clock, and the record's shape. */
export class Scripts {
  readonly #preface: string;
  readonly #scripts = new Map<ScriptName, Script>();

  /** `clock`: the text of another clock.lua, for tests that move the time. */
  constructor(clock = read("clock")) {
    this.#preface = `${clock}\n${read("record")}\n`;
  }

  get(name: ScriptName): Script {
    let script = this.#scripts.get(name);
    if (script === undefined) {
      const text = this.#preface + read(name);
      script = { text, sha: createHash("sha1").update(text).digest("hex") };
      this.#scripts.set(name, script);
    }
    return script;
  }
}

function read(name: string): string {
  return readFileSync(new URL(`${name}.lua`, FOLDER), "utf8");
}
