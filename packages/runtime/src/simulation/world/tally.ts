import type { WorldReport } from "../world-simulation.js";

/** Sums up what many simulations did, for people. */
export class Tally {
  schedules = 0;
  #virtualMs = 0;
  readonly #sums = { runs: 0, rows: 0, calls: 0, processes: 0, checks: 0 };
  readonly #faults = new Map<string, number>();
  readonly #ends = new Map<string, number>();
  readonly #records = new Map<string, number>();

  add(report: WorldReport): void {
    this.schedules += 1;
    this.#virtualMs += report.virtualMs;
    const sums = this.#sums;
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += report[key];
    add(this.#faults, report.faults);
    add(this.#ends, report.ends);
    add(this.#records, report.records);
  }

  faults(kind: string): number {
    return this.#faults.get(kind) ?? 0;
  }

  ends(end: string): number {
    return this.#ends.get(end) ?? 0;
  }

  records(kind: string): number {
    return this.#records.get(kind) ?? 0;
  }

  get lines(): string[] {
    const { runs, rows, calls, processes, checks } = this.#sums;
    const hours = (this.#virtualMs / 3_600_000).toFixed(1);
    const list = (counts: ReadonlyMap<string, number>): string =>
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => `${name} ${count}`)
        .join(", ");
    return [
      `world: ${this.schedules} schedules, ${hours} virtual hours, ${processes} processes, ${runs} runs, ${rows} journal rows, ${calls} calls, ${checks} checks`,
      `  faults: ${list(this.#faults)}`,
      `  ends: ${list(this.#ends)}`,
      `  records: ${list(this.#records)}`,
    ];
  }
}

function add(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
}
