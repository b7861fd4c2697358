import type { Clock } from "../../ports.js";
import { isTouchDue } from "../../store/session-deadlines.js";

/**
 * When sessions want their next touch, as far as this process knows: until then a plain read is all that a load needs, and
 * writes nothing. A hint may be forgotten, or be too early after another instance's touch; then the script that touches is
 * asked, and it decides by the store's clock.
 *
 * Two maps that take turns bound the memory: what is not asked for while as many others are is forgotten.
 */
const MAX_YOUNG = 65_536;

export class TouchHints {
  readonly #clock: Clock;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  isDue(id: string): boolean {
    let dueAt = this.#young.get(id);
    if (dueAt === undefined) {
      dueAt = this.#old.get(id);
      if (dueAt === undefined) return true;
      this.#put(id, dueAt);
    }
    return this.#clock.monotonic() >= dueAt;
  }

  /** The session was last touched then; both by the store's clock. */
  note(id: string, session: { readonly touchedAt: number; readonly idleMs: number }, storeNow: number): void {
    if (isTouchDue(session, storeNow)) return;
    this.#put(id, this.#clock.monotonic() + session.touchedAt + session.idleMs / 10 - storeNow);
  }

  #put(id: string, dueAt: number): void {
    if (this.#young.size >= MAX_YOUNG) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, dueAt);
  }
}
