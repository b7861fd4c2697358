import type { WorldReport } from "../world-simulation.js";

/** Plain, so that it can travel between threads. */
export interface TallyCounts {
  readonly sums: Record<"schedules" | "virtualMs" | "runs" | "rows" | "calls" | "processes" | "checks", number>;
  readonly faults: Map<string, number>;
  readonly ends: Map<string, number>;
  readonly records: Map<string, number>;
  readonly judged: Map<number, number>;
}

/** Sums up what many simulations did, for people. */
export class Tally {
  readonly counts: TallyCounts = {
    sums: { schedules: 0, virtualMs: 0, runs: 0, rows: 0, calls: 0, processes: 0, checks: 0 },
    ...{ faults: new Map(), ends: new Map(), records: new Map(), judged: new Map() },
  };

  add(report: WorldReport): void {
    const { virtualMs, runs, rows, calls, processes, checks, faults, ends, records, judged } = report;
    this.#sum({ schedules: 1, virtualMs, runs, rows, calls, processes, checks });
    addTo(this.counts.faults, faults);
    addTo(this.counts.ends, ends);
    addTo(this.counts.records, records);
    addTo(this.counts.judged, judged);
  }

  /** What another thread did. */
  merge({ sums, faults, ends, records, judged }: TallyCounts): void {
    this.#sum(sums);
    addTo(this.counts.faults, faults);
    addTo(this.counts.ends, ends);
    addTo(this.counts.records, records);
    addTo(this.counts.judged, judged);
  }

  faults(kind: string): number {
    return this.counts.faults.get(kind) ?? 0;
  }

  ends(end: string): number {
    return this.counts.ends.get(end) ?? 0;
  }

  records(kind: string): number {
    return this.counts.records.get(kind) ?? 0;
  }

  get lines(): string[] {
    const { schedules, virtualMs, runs, rows, calls, processes, checks } = this.counts.sums;
    const hours = (virtualMs / 3_600_000).toFixed(1);
    return [
      `world: ${schedules} schedules, ${hours} simulated hours, ${processes} processes, ${runs} runs, ${rows} journal rows, ${calls} calls, ${checks} checks`,
      `  faults: ${list(this.counts.faults)}`,
      `  ends: ${list(this.counts.ends)}`,
      `  records: ${list(this.counts.records)}`,
      `  judged, by invariant: ${list(this.counts.judged)}`,
    ];
  }

  #sum(sums: TallyCounts["sums"]): void {
    const total = this.counts.sums;
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += sums[key];
  }
}

function addTo<Key>(total: Map<Key, number>, counts: ReadonlyMap<Key, number>): void {
  for (const [key, count] of counts) total.set(key, (total.get(key) ?? 0) + count);
}

function list(counts: ReadonlyMap<string | number, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name}: ${count}`)
    .join(", ");
}
