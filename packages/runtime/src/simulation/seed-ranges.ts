import type { RangeReport, SeedRange } from "./seed-range.js";

/** Seeds handed out at once: few enough that no thread waits long for the last ones. */
const RANGE = 25;

/**
 * Hands out a long range in short ones, to any number of threads, and passes their reports on in the order of the seeds,
 * up to the first with a breach: the lowest seed that has one, whoever finished first.
 */
export class SeedRanges {
  readonly #ranges: SeedRange[] = [];
  readonly #onReport: (report: RangeReport) => void;
  readonly #waiting = new Map<number, RangeReport>();
  #handedOut = 0;
  #passedOn = 0;
  #broken = Number.POSITIVE_INFINITY;

  constructor({ from, count }: SeedRange, onReport: (report: RangeReport) => void) {
    this.#onReport = onReport;
    for (let start = from; start < from + count; start += RANGE)
      this.#ranges.push({ from: start, count: Math.min(RANGE, from + count - start) });
  }

  /** Undefined: nothing is left, or nothing more needs to be known. */
  next(): SeedRange | undefined {
    // In order: all before a broken one are done or under way.
    if (this.#handedOut > this.#broken) return undefined;
    const range = this.#ranges[this.#handedOut];
    this.#handedOut += 1;
    return range;
  }

  done(report: RangeReport): void {
    const index = this.#ranges.findIndex(({ from }) => from === report.range.from);
    this.#waiting.set(index, report);
    if (report.breach !== null) this.#broken = Math.min(this.#broken, index);
    for (;;) {
      const next = this.#waiting.get(this.#passedOn);
      if (next === undefined || this.#passedOn > this.#broken) return;
      this.#waiting.delete(this.#passedOn);
      this.#passedOn += 1;
      this.#onReport(next);
    }
  }
}
