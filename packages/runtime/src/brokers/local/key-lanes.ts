import type { CancelTimer, Clock } from "../../ports.js";
import type { Slots } from "./slots.js";

export interface LaneTask {
  readonly key: string;
  /** When it rejects it is run again. */
  run(): Promise<void>;
  /** ms from a failure to the next time. */
  retryAfterMs(): number;
  onDone(): void;
}

/**
 * Tasks of one key one after the other, those of different keys beside each other. One that fails stands aside until it is run again, and
 * holds up no other, not of its own key either.
 */
export class KeyLanes {
  readonly #clock: Clock;
  /** Shared with other lanes. One that stands aside takes none. */
  readonly #slots: Slots;
  /** The first of each is under way, or is next. */
  readonly #lanes = new Map<string, LaneTask[]>();
  readonly #timers = new Set<CancelTimer>();
  readonly #underWay = new Set<Promise<void>>();
  #isClosed = false;

  constructor(clock: Clock, slots: Slots) {
    this.#clock = clock;
    this.#slots = slots;
  }

  add(task: LaneTask): void {
    if (this.#isClosed) return;
    const lane = this.#lanes.get(task.key);
    if (lane !== undefined) return void lane.push(task);
    this.#lanes.set(task.key, [task]);
    this.#begin(task.key);
  }

  /** Begins nothing any more. Resolves when what is under way has ended, well or not. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await Promise.all(this.#underWay);
  }

  #begin(key: string): void {
    this.#slots.enter(() => {
      const [task] = this.#lanes.get(key) ?? [];
      if (this.#isClosed || task === undefined) return this.#slots.leave();
      const running = this.#run(task).finally(() => {
        this.#underWay.delete(running);
        this.#slots.leave();
        this.#next(key);
      });
      this.#underWay.add(running);
    });
  }

  async #run(task: LaneTask): Promise<void> {
    try {
      await task.run();
    } catch {
      return this.#standAside(task);
    }
    task.onDone();
  }

  #next(key: string): void {
    const lane = this.#lanes.get(key);
    lane?.shift();
    if (lane === undefined || lane.length === 0) this.#lanes.delete(key);
    else this.#begin(key);
  }

  #standAside(task: LaneTask): void {
    if (this.#isClosed) return;
    const cancel = this.#clock.after(task.retryAfterMs(), () => {
      this.#timers.delete(cancel);
      this.add(task);
    });
    this.#timers.add(cancel);
  }
}
