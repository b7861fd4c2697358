import { type Json, toJson } from "../json.js";
import type { CancelTimer, Clock } from "../ports.js";
import type { Notes } from "./notes.js";

const MAX_DETAILS_BYTES = 65_536;
/** Of the time of a heartbeat: the least between two rows that are written for nothing but details. */
const ROW_PART = 1 / 3;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly notes: Notes;
  readonly step: string;
  readonly attempt: number;
  /** How long it may be silent, ms. */
  readonly silenceMs: number;
  /** What an attempt before last told; null: nothing. */
  readonly before: Json;
  /** It was silent for so long: it has failed. */
  readonly onSilence: () => void;
}

/**
 * Signs of life of one attempt. When they stop, the attempt is cut short and has failed, long before its timeout. What they tell of how far it is goes
 * into the journal now and then, and with the attempt's failure, for the next attempt to go on from.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #beatAt: number;
  #cancelSilence: CancelTimer;
  #cancelRow: CancelTimer | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#beatAt = options.clock.monotonic();
    this.#cancelSilence = this.#listen(options.silenceMs);
  }

  get silenceMs(): number {
    return this.#options.silenceMs;
  }

  get before(): Json {
    return this.#options.before;
  }

  isOf(attempt: number): boolean {
    return attempt === this.#options.attempt;
  }

  /** Errors: `payload-too-large` (64 KiB), `input-invalid`. */
  beat(details?: unknown): void {
    const { clock, notes, step, attempt, silenceMs } = this.#options;
    this.#beatAt = clock.monotonic();
    if (details === undefined) return;
    notes.offer(step, { kind: "heartbeat", step, attempt, details: detailsOf(step, details) });
    this.#cancelRow ??= clock.after(silenceMs * ROW_PART, () => {
      this.#cancelRow = null;
      notes.insist();
    });
  }

  /** The attempt has come to its end. `completed`: nobody will go on from what it told. */
  close(completed: boolean): void {
    this.#cancelSilence();
    this.#cancelRow?.();
    if (completed) this.#options.notes.drop(this.#options.step);
  }

  /** One timer at a time, whatever the rate of the beats. */
  #listen(afterMs: number): CancelTimer {
    const { clock, onSilence } = this.#options;
    return clock.after(afterMs, () => {
      const leftMs = this.#beatAt + this.silenceMs - clock.monotonic();
      if (leftMs <= 0) onSilence();
      else this.#cancelSilence = this.#listen(leftMs);
    });
  }
}

function detailsOf(step: string, details: unknown): Json {
  return toJson(details, () => `the heartbeat's details of step "${step}"`, MAX_DETAILS_BYTES);
}
