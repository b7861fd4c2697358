import type { CancelTimer, Clock } from "../../ports.js";
import type { Slots } from "./slots.js";

export interface LaneTask {
  readonly key: string;
  /** The attempt counts from 1. When it rejects it is tried again. */
  run(attempt: number): Promise<void>;
  onDone(): void;
}

export interface KeyLanesOptions {
  readonly clock: Clock;
  /** Shared with other lanes. One that waits for its next attempt takes none. */
  readonly slots: Slots;
  /** ms. */
  readonly retryAfterMs: (attempt: number) => number;
}

/** Tasks of one key one after the other, those of different keys beside each other. One that fails holds up its key, and no other. */
export class KeyLanes {
  readonly #options: KeyLanesOptions;
  /** The first of each is under way, or is next. */
  readonly #lanes = new Map<string, LaneTask[]>();
  readonly #timers = new Set<CancelTimer>();
  readonly #underWay = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: KeyLanesOptions) {
    this.#options = options;
  }

  add(task: LaneTask): void {
    const lane = this.#lanes.get(task.key);
    if (lane !== undefined) return void lane.push(task);
    this.#lanes.set(task.key, [task]);
    this.#begin(task.key, 1);
  }

  /** Begins nothing any more. Resolves when what is under way has ended, well or not. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#timers) cancel();
    await Promise.all(this.#underWay);
  }

  #begin(key: string, attempt: number): void {
    const { slots } = this.#options;
    slots.enter(() => {
      const [task] = this.#lanes.get(key) ?? [];
      if (this.#isClosed || task === undefined) return slots.leave();
      const running = this.#run(task, attempt).finally(() => {
        this.#underWay.delete(running);
        slots.leave();
      });
      this.#underWay.add(running);
    });
  }

  async #run(task: LaneTask, attempt: number): Promise<void> {
    try {
      await task.run(attempt);
    } catch {
      return this.#again(task.key, attempt);
    }
    task.onDone();
    const lane = this.#lanes.get(task.key);
    lane?.shift();
    if (lane === undefined || lane.length === 0) this.#lanes.delete(task.key);
    else this.#begin(task.key, 1);
  }

  #again(key: string, attempt: number): void {
    if (this.#isClosed) return;
    const { clock, retryAfterMs } = this.#options;
    const cancel = clock.after(retryAfterMs(attempt), () => {
      this.#timers.delete(cancel);
      this.#begin(key, attempt + 1);
    });
    this.#timers.add(cancel);
  }
}
