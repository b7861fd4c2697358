import { toJson } from "../json.js";
import type { CancelTimer, Clock } from "../ports.js";
import type { Notes } from "./notes.js";

const MAX_BYTES = 16_384;
/** The least time between two rows that are written for nothing but progress. */
const LEAST_MS = 1_000;
/** And the least part of the time that the execution has taken: the journal of a run of days stays short. */
const LEAST_PART = 1 / 60;

/** What a function tells of how far it is: the newest counts, and rides with whatever row is written. */
export class TaskProgress {
  readonly #notes: Notes;
  readonly #clock: Clock;
  readonly #step: string;
  readonly #since: number;
  #cancelTimer: CancelTimer | null = null;

  constructor(notes: Notes, clock: Clock, step: string) {
    this.#notes = notes;
    this.#clock = clock;
    this.#step = step;
    this.#since = clock.monotonic();
  }

  /** Errors: `payload-too-large`, `input-invalid`. */
  tell(value: unknown): void {
    const progress = toJson(value, "the progress of a task", MAX_BYTES);
    this.#notes.offer(this.#step, { kind: "progressed", step: this.#step, progress });
    const delayMs = Math.max(LEAST_MS, (this.#clock.monotonic() - this.#since) * LEAST_PART);
    this.#cancelTimer ??= this.#clock.after(delayMs, () => {
      this.#cancelTimer = null;
      this.#notes.insist();
    });
  }

  close(): void {
    this.#cancelTimer?.();
  }
}
