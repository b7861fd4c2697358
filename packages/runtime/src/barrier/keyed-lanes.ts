import type { Clock } from "../ports.js";

interface Waiting {
  readonly enter: () => void;
}

/**
 * One at a time per key, in the order of arrival. Waiting here costs a participant no connection of its pool, so that
 * fifty copies of one call do not starve the other calls.
 */
export class KeyedLanes {
  readonly #clock: Clock;
  /** Those who wait behind the one that is in; no entry: nobody is in. */
  readonly #lanes = new Map<string, Set<Waiting>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the lane is the caller's, with true; after `waitMs` with false. Who is in calls `leave`. */
  enter(key: string, waitMs: number): Promise<boolean> {
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#lanes.set(key, new Set());
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const waiting = {
        enter: () => {
          cancelTimer();
          resolve(true);
        },
      };
      const cancelTimer = this.#clock.after(waitMs, () => {
        lane.delete(waiting);
        resolve(false);
      });
      lane.add(waiting);
    });
  }

  leave(key: string): void {
    const lane = this.#lanes.get(key);
    const [next] = lane ?? [];
    if (lane === undefined || next === undefined) return void this.#lanes.delete(key);
    lane.delete(next);
    next.enter();
  }
}
