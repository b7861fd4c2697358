import { RuntimeError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";

/** Of a context as JSON; what is larger is no context but data, and gets a place of its own. */
const MAX_CONTEXT_BYTES = 8 * 1_048_576;

/** How large a context may be by what was written into it: it is measured only when that might be too much. */
export class ContextWeight {
  readonly #run: string;
  /** At most so much; null: not known. */
  #bytes: number | null = null;

  constructor(run: string) {
    this.#run = run;
  }

  measure(context: JsonObject): number {
    this.#bytes = bytesOf(context);
    return this.#bytes;
  }

  /** `isOnTheWay`: with this it may not be too large. Error: `payload-too-large`. */
  add(patch: Json, patched: JsonObject, isOnTheWay: boolean): void {
    const before = this.#bytes;
    this.#bytes = before === null ? bytesOf(patched) : before + bytesOf(patch);
    if (!isOnTheWay) return;
    const refusal = this.refusal(patched);
    if (refusal === null) return;
    this.#bytes = before;
    throw refusal;
  }

  /** Error: `payload-too-large`. */
  check(context: JsonObject): void {
    const refusal = this.refusal(context);
    if (refusal !== null) throw refusal;
  }

  /** Null: it is not too large. */
  refusal(context: JsonObject): RuntimeError | null {
    if ((this.#bytes ?? this.measure(context)) <= MAX_CONTEXT_BYTES) return null;
    const bytes = this.measure(context);
    if (bytes <= MAX_CONTEXT_BYTES) return null;
    const message = `expected a context of at most ${MAX_CONTEXT_BYTES} bytes in run ${this.#run}, got ${bytes}; keep in it where things lie, not the things`;
    return new RuntimeError("payload-too-large", message, { run: this.#run });
  }
}

function bytesOf(json: Json): number {
  return Buffer.byteLength(JSON.stringify(json));
}
