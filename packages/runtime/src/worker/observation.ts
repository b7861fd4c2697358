import { openSteps, type RunState } from "../engine/state.js";
import type { WorkerEnvironment } from "./worker-environment.js";

/** How long a choreographed run is held after it was heard of. */
const HOLD_MS = 1_000;
/** How long what it was told in passing waits for more: a row holds many of them as well as one. */
const HEAR_MORE_MS = 50;

/**
 * A choreographed run waits for what its units tell. The next event is probably near, and taking the run up again for each costs more than
 * holding it, unless it takes the room of those that are performed.
 */
export class Observation {
  readonly #env: Pick<WorkerEnvironment, "isCrowded" | "storeNow">;
  readonly #isObserved: boolean;
  #heardAt: number;

  constructor(env: Pick<WorkerEnvironment, "isCrowded" | "storeNow">, isObserved: boolean) {
    this.#env = env;
    this.#isObserved = isObserved;
    this.#heardAt = env.storeNow();
  }

  heard(): void {
    this.#heardAt = this.#env.storeNow();
  }

  /** Until when it is held, by the store's clock; null: no longer, or it is no such run. */
  heldUntil(now: number): number | null {
    const until = this.#heardAt + HOLD_MS;
    return this.#isObserved && now < until && !this.#env.isCrowded() ? until : null;
  }

  /** How long what was told in passing waits, ms; null: a wait for it is under way. */
  static waitMs(state: RunState, heard: number, isAwaited: boolean): number | null {
    // Or nothing more can come.
    if (isAwaited || heard >= openSteps(state)) return 0;
    return heard === 1 ? HEAR_MORE_MS : null;
  }
}
