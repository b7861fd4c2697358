import type { Clock } from "../ports.js";

/** A clock that stands still until it is told to go on. Timers fire inside `advance`, in the order of their time. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Timers that wait. */
  readonly pending: number;
}

/** `startMs`: wall clock at the start, ms since the epoch. */
export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsedMs = 0;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  const add = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { at: elapsedMs + Math.max(0, delayMs), callback };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    after: add,
    soon: (callback) => add(0, callback),
    advance(ms) {
      const end = elapsedMs + ms;
      for (;;) {
        const [next] = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers = timers.filter((timer) => timer !== next);
        elapsedMs = next.at;
        next.callback();
      }
      elapsedMs = end;
    },
    get pending() {
      return timers.length;
    },
  };
}
