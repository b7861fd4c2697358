import { systemPorts } from "../ports.js";
import type { ManualClock } from "../testing/manual-clock.js";

/** Turns of the real event loop granted between two moves of the clock, for I/O that does not go through it. */
const TURNS = 3;
const MAX_MOVES = 100_000;

/** Lets time pass, timer by timer, until `promise` settles. Whole days cost nothing; a promise nobody keeps is an error. */
export async function passTimeUntil<Value>(clock: ManualClock, promise: Promise<Value>): Promise<Value> {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  watched.catch(() => {});
  for (let moves = 0; moves < MAX_MOVES; moves++) {
    for (let turn = 0; turn < TURNS && !settled; turn++) {
      await new Promise<void>((resolve) => systemPorts.clock.soon(resolve));
    }
    if (settled) return watched;
    clock.advanceToNext();
  }
  throw new Error(`expected the promise to settle within ${MAX_MOVES} timers, it did not`);
}
