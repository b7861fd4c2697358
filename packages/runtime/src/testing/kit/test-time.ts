import { type Clock, systemPorts } from "../../ports.js";
import { createManualClock, type ManualClock } from "../manual-clock.js";

/** Timers at one moment: more are a loop without a delay. */
const MAX_AT_ONCE = 20_000;
/** Timers until what is waited for must be there. */
const MAX_TIMERS = 500_000;
/** What looks for work comes more often than that; a longer timer waits for something. */
const LONG_MS = 5_000;

export interface Passing {
  /** What time passes for; asked again after everything that happened. */
  readonly done: () => boolean | Promise<boolean>;
  /** For the error: "expected <what>, ...". */
  readonly what: () => string;
  /** Time does not go beyond, ms since the epoch. Default: none. */
  readonly until?: number;
  /**
   * When the next thing is due, ms since the epoch, if nothing happens before; infinite: nothing does ever. Null: something may happen
   * at any moment. Default: always null.
   */
  readonly quietUntil?: () => number | null;
}

/**
 * Time that passes only while somebody waits for it to, and then as fast as it can: from timer to timer, and in one step over days
 * in which nothing is due. It stands still while an attempt at a step is under way, because that may wait for the real world.
 */
export class TestTime {
  readonly clock: ManualClock;
  readonly #patienceMs: number;
  /** Attempts under way, by who performs them. */
  readonly #held = new Set<{ readonly holder: object }>();
  /** When timers are due that wait for something. */
  readonly #long = new Set<{ readonly at: number; readonly holder: object }>();
  #onChange: () => void = () => {};
  #handlersAsleep = 0;

  constructor(startMs: number, patienceMs: number) {
    this.clock = createManualClock(startMs);
    this.#patienceMs = patienceMs;
  }

  /** For what waits for test time in an attempt: while all that are under way do, time passes. */
  readonly forHandlers: Clock = {
    now: () => this.clock.now(),
    monotonic: () => this.clock.monotonic(),
    soon: (callback) => this.clock.soon(callback),
    after: (delayMs, callback) => {
      const end = this.#fallAsleep();
      const cancel = this.clock.after(delayMs, () => {
        end();
        callback();
      });
      return () => {
        end();
        cancel();
      };
    },
  };

  /** For what an attempt waits for that comes with test time: while all that are under way wait so, time passes. */
  async asleep<Value>(waits: PromiseLike<Value>): Promise<Value> {
    const end = this.#fallAsleep();
    try {
      return await waits;
    } finally {
      end();
    }
  }

  #fallAsleep(): () => void {
    let sleeps = true;
    this.#handlersAsleep += 1;
    this.#onChange();
    return () => {
      if (sleeps) this.#handlersAsleep -= 1;
      sleeps = false;
    };
  }

  /** A process's clock, watched for timers that wait for something, until the holder is released. */
  watched(clock: Clock, holder: object): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      soon: (callback) => this.#noticed(clock.soon(callback)),
      after: (delayMs, callback) => {
        if (delayMs <= LONG_MS) return this.#noticed(clock.after(delayMs, callback));
        const timer = { at: this.clock.now() + delayMs, holder };
        this.#long.add(timer);
        const cancel = clock.after(delayMs, () => {
          this.#long.delete(timer);
          callback();
        });
        return () => {
          this.#long.delete(timer);
          cancel();
        };
      },
    };
  }

  /** An attempt may wait for what is due now, such as a checkpoint that it wrote. */
  #noticed<Result>(result: Result): Result {
    this.#onChange();
    return result;
  }

  /** Time stands still until the attempt has ended. */
  async hold<Value>(holder: object, attempt: PromiseLike<Value>): Promise<Value> {
    const held = { holder };
    this.#held.add(held);
    try {
      return await attempt;
    } finally {
      this.#held.delete(held);
      this.#onChange();
    }
  }

  /** Whoever performs them is dead, and so are its timers. */
  release(holder: object): void {
    for (const timer of this.#long) if (timer.holder === holder) this.#long.delete(timer);
    for (const held of this.#held) if (held.holder === holder) this.#held.delete(held);
  }

  /** Errors: nothing happens any more, or far too much does. */
  async pass({ done, what, until = Number.POSITIVE_INFINITY, quietUntil = () => null }: Passing): Promise<void> {
    let [now, atOnce] = [this.clock.monotonic(), 0];
    for (let timers = 0; timers < MAX_TIMERS; timers++) {
      // All that a timer woke runs before the next one.
      await new Promise<void>((resolve) => systemPorts.clock.soon(resolve));
      if (await done()) return;
      if (this.#isHeld && !this.#isDue) {
        await this.#untilChange();
        continue;
      }
      if (!this.#move(until, quietUntil())) throw new Error(`expected ${what()}, nothing happens any more`);
      atOnce = this.clock.monotonic() === now ? atOnce + 1 : 0;
      now = this.clock.monotonic();
      if (atOnce > MAX_AT_ONCE) throw new Error(`expected ${what()}, time stands still at ${this.#date()}`);
    }
    throw new Error(`expected ${what()} within ${MAX_TIMERS} timers, it is ${this.#date()}`);
  }

  get #isHeld(): boolean {
    return this.#held.size > this.#handlersAsleep;
  }

  get #isDue(): boolean {
    const { msToNext } = this.clock;
    return msToNext !== null && msToNext <= 0;
  }

  /** An attempt that does not end in time is waited for no longer: its timeout is to come. */
  #untilChange(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = systemPorts.clock.after(this.#patienceMs, () => {
        this.#held.clear();
        resolve();
      });
      this.#onChange = () => {
        if (this.#isHeld && !this.#isDue) return;
        this.#onChange = () => {};
        cancel();
        resolve();
      };
    });
  }

  /** False: nothing is left to come. */
  #move(until: number, quietUntil: number | null): boolean {
    const { clock } = this;
    const now = clock.now();
    if (quietUntil !== null) {
      const long = Math.min(...[...this.#long].map(({ at }) => at));
      const next = Math.min(quietUntil, long, until);
      if (next === Number.POSITIVE_INFINITY) return false;
      if (next > now) {
        clock.jump(next - now);
        return true;
      }
    }
    const { msToNext } = clock;
    if (msToNext === null || now + msToNext > until) {
      if (until === Number.POSITIVE_INFINITY) return false;
      clock.jump(Math.max(0, until - now));
      return true;
    }
    return clock.fireNext();
  }

  #date(): string {
    return new Date(this.clock.now()).toISOString();
  }
}
