import { type Json, stringify } from "../../json.js";
import type { SessionDelta } from "../../store/session-store.js";

type Data = Readonly<Record<string, Json>>;

interface HandedOut {
  readonly value: unknown;
  readonly text: string;
}

/**
 * What one request does to the fields of its session. Objects are handed out as they are, so that changing them in place works; their
 * text from then is compared at the end, and only theirs. A request that reads nothing but texts and numbers serializes nothing.
 */
export class FieldChanges {
  #stored: Data;
  /** A value of undefined: removed. */
  #changed: Map<string, unknown> | null = null;
  #handedOut: Map<string, HandedOut> | null = null;

  constructor(stored: Data) {
    this.#stored = stored;
  }

  get(field: string): unknown {
    if (this.#changed?.has(field)) return this.#changed.get(field);
    if (!Object.hasOwn(this.#stored, field)) return undefined;
    const value = this.#stored[field];
    if (typeof value === "object" && value !== null) this.#handOut(field, value);
    return value;
  }

  has(field: string): boolean {
    return this.#changed?.has(field) ? this.#changed.get(field) !== undefined : Object.hasOwn(this.#stored, field);
  }

  /** A text or number that is there already is no change. Undefined removes. */
  set(field: string, value: unknown): void {
    if (value === undefined) return this.delete(field);
    const isSame = value === null || typeof value !== "object" ? this.#isStored(field, value) : false;
    if (isSame && !this.#changed?.has(field)) return;
    this.#changed ??= new Map();
    this.#changed.set(field, value);
  }

  delete(field: string): void {
    if (!this.has(field)) return;
    this.#changed ??= new Map();
    this.#changed.set(field, undefined);
  }

  /** All fields as they are for this request. */
  all(): Record<string, unknown> {
    const names = new Set([...Object.keys(this.#stored), ...(this.#changed?.keys() ?? [])]);
    return Object.fromEntries([...names].filter((name) => this.has(name)).map((name) => [name, this.get(name)]));
  }

  /** False: surely nothing has changed. */
  get mayHaveChanged(): boolean {
    return this.#changed !== null || this.#handedOut !== null;
  }

  /** What has changed, as it is now, and counts as written from here on; null: nothing. Error: `input-invalid`. */
  take(): SessionDelta | null {
    const set: Record<string, Json> = {};
    const unset: string[] = [];
    const handedOut = new Map<string, HandedOut>();
    const keep = (field: string, value: unknown): void => {
      const text = stringify(value, () => `session field ${JSON.stringify(field)}`);
      if (text === undefined) return void unset.push(field);
      // A copy: what is sent does not change while it is on its way.
      set[field] = typeof value === "object" ? (JSON.parse(text) as Json) : (value as Json);
      if (typeof value === "object" && value !== null) handedOut.set(field, { value, text });
    };
    for (const [field, value] of this.#changed ?? []) value === undefined ? unset.push(field) : keep(field, value);
    for (const [field, { value, text }] of this.#handedOut ?? []) {
      if (this.#changed?.has(field)) continue;
      if (JSON.stringify(value) === text) handedOut.set(field, { value, text });
      else keep(field, value);
    }
    const isSame = unset.length === 0 && Object.keys(set).length === 0;
    const stored: Record<string, Json> = { ...this.#stored };
    for (const field of unset) delete stored[field];
    // The objects themselves stay in the hands of the request.
    for (const field of Object.keys(set)) stored[field] = (handedOut.get(field)?.value ?? set[field]) as Json;
    this.#stored = stored;
    this.#changed = null;
    this.#handedOut = handedOut.size > 0 ? handedOut : null;
    return isSame ? null : { ...(Object.keys(set).length > 0 && { set }), ...(unset.length > 0 && { unset }) };
  }

  /** The delta was not written after all. What was changed since stands. */
  putBack({ set = {}, unset = [] }: SessionDelta): void {
    const changed = new Map<string, unknown>(unset.map((field) => [field, undefined]));
    for (const field of Object.keys(set)) changed.set(field, this.#stored[field] ?? set[field]);
    for (const [field, value] of this.#changed ?? []) changed.set(field, value);
    this.#changed = changed;
  }

  /** What is stored has become another. What is pending stands. */
  replaceStored(stored: Data): void {
    this.#stored = stored;
  }

  #handOut(field: string, value: object): void {
    this.#handedOut ??= new Map();
    if (this.#handedOut.get(field)?.value === value) return;
    this.#handedOut.set(field, { value, text: JSON.stringify(value) });
  }

  #isStored(field: string, value: unknown): boolean {
    return Object.hasOwn(this.#stored, field) && this.#stored[field] === value;
  }
}
