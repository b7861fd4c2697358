import type { Clock } from "../ports.js";

/** A clock that stands still until it is moved. Timers fire in the order of their time, inside `advance`. */
export interface ManualClock extends Clock {
  /** Moves time forward by exactly `ms`. */
  advance(ms: number): void;
  /** Moves time to the next timer and fires what is due then. False when no timer waits. */
  advanceToNext(): boolean;
  /** Moves time to the next timer and fires that one alone, so that what it wakes can run before the next. False: none waits. */
  fireNext(): boolean;
  /** Moves time forward by `ms` and fires nothing: what is overdue then fires late, as after a machine's sleep. */
  jump(ms: number): void;
  /** How long until the next timer is due, ms; negative: overdue; null: none waits. */
  readonly msToNext: number | null;
  /** Timers that wait. */
  readonly pending: number;
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let now = startMs;
  let order = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  const after = (delayMs: number, callback: () => void): (() => void) => {
    const id = order++;
    timers.set(id, { at: now + Math.max(0, delayMs), callback });
    return () => void timers.delete(id);
  };
  return {
    // Whole milliseconds, like the system's wall clock.
    now: () => Math.floor(now),
    monotonic: () => now - startMs,
    after,
    soon: (callback) => after(0, callback),
    advanceToNext() {
      if (timers.size === 0) return false;
      const next = Math.min(...[...timers.values()].map((timer) => timer.at));
      this.advance(Math.max(0, next - now));
      return true;
    },
    fireNext() {
      let next: number | undefined;
      let at = Number.POSITIVE_INFINITY;
      // Ids grow, so the first of those due at the same time was set first.
      for (const [id, timer] of timers) if (timer.at < at) [next, at] = [id, timer.at];
      const timer = next === undefined ? undefined : timers.get(next);
      if (next === undefined || timer === undefined) return false;
      timers.delete(next);
      now = Math.max(now, at);
      timer.callback();
      return true;
    },
    jump(ms) {
      now += ms;
    },
    get msToNext() {
      let next = Number.POSITIVE_INFINITY;
      for (const { at } of timers.values()) next = Math.min(next, at);
      return timers.size === 0 ? null : next - now;
    },
    get pending() {
      return timers.size;
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers]
          .filter(([, timer]) => timer.at <= end)
          .sort(([a, first], [b, second]) => first.at - second.at || a - b);
        if (!next) break;
        const [id, { at, callback }] = next;
        timers.delete(id);
        now = Math.max(now, at);
        callback();
      }
      now = end;
    },
  };
}
