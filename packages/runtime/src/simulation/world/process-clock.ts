import type { CancelTimer, Clock } from "../../ports.js";
import type { ManualClock } from "../../testing/manual-clock.js";

/**
 * The clock of one simulated process, on top of the world's. Its wall clock is wrong by `skewMs` and may jump, its
 * monotonic clock has an origin of its own. While the process is paused nothing of it runs: what falls due meanwhile runs, in order, once it
 * goes on. After a crash nothing of it runs any more.
 */
export class ProcessClock implements Clock {
  readonly #world: ManualClock;
  #skewMs: number;
  readonly #originMs: number;
  readonly #timers = new Set<object>();
  readonly #held: (() => void)[] = [];
  #state: "running" | "paused" | "dead" = "running";

  constructor(world: ManualClock, skewMs: number, originMs: number) {
    this.#world = world;
    this.#skewMs = skewMs;
    this.#originMs = originMs;
  }

  now(): number {
    return this.#world.now() + this.#skewMs;
  }

  monotonic(): number {
    return this.#world.monotonic() + this.#originMs;
  }

  after(delayMs: number, callback: () => void): CancelTimer {
    if (this.#state === "dead") return () => {};
    const timer = {};
    this.#timers.add(timer);
    const cancel = this.#world.after(delayMs, () => this.#run(fire));
    const fire = (): void => {
      // Canceled by something that ran before it after a pause.
      if (this.#timers.delete(timer)) callback();
    };
    return () => {
      this.#timers.delete(timer);
      cancel();
    };
  }

  soon(callback: () => void): CancelTimer {
    return this.after(0, callback);
  }

  /** Something from outside reaches the process: an answer, a call. */
  enter(callback: () => void): void {
    if (this.#state !== "dead") this.#run(callback);
  }

  /** Its wall clock is set, by a person or by NTP. */
  jump(skewMs: number): void {
    this.#skewMs = skewMs;
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    // One at a time, so that what each wakes runs before the next.
    for (const callback of this.#held.splice(0)) this.#world.after(0, () => this.#run(callback));
  }

  crash(): void {
    this.#state = "dead";
    this.#held.length = 0;
    this.#timers.clear();
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  /** Timers that the process has set and that neither fired nor were canceled. */
  get pending(): number {
    return this.#timers.size;
  }

  #run(callback: () => void): void {
    if (this.#state === "running") callback();
    else if (this.#state === "paused") this.#held.push(callback);
  }
}
