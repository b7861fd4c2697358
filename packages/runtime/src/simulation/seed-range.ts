import { Tally, type TallyCounts } from "./world/tally.js";
import { WorldSimulation } from "./world-simulation.js";

export interface SeedRange {
  readonly from: number;
  readonly count: number;
}

/** What the worlds of a range did, up to the first one that broke an invariant. */
export interface RangeReport {
  readonly range: SeedRange;
  readonly counts: TallyCounts;
  readonly breach: { readonly seed: number; readonly message: string } | null;
}

export async function simulateRange(range: SeedRange): Promise<RangeReport> {
  const tally = new Tally();
  for (let seed = range.from; seed < range.from + range.count; seed++) {
    try {
      tally.add(await new WorldSimulation(seed).run());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { range, counts: tally.counts, breach: { seed, message } };
    }
  }
  return { range, counts: tally.counts, breach: null };
}
