import { describe, expect, it } from "vitest";
import type { RangeReport, SeedRange } from "./seed-range.js";
import { SeedRanges } from "./seed-ranges.js";
import { Tally } from "./world/tally.js";

const report = (range: SeedRange | undefined, seed?: number): RangeReport => ({
  range: range ?? { from: 0, count: 0 },
  counts: new Tally().counts,
  breach: seed === undefined ? null : { seed, message: `seed ${seed}` },
});

function ranges(count: number) {
  const told: [number, number | undefined][] = [];
  const all = new SeedRanges({ from: 10, count }, ({ range, breach }) => told.push([range.from, breach?.seed]));
  return { all, told };
}

describe("a range of seeds on several threads", () => {
  it("is handed out whole, each seed once", () => {
    const { all } = ranges(60);
    expect([all.next(), all.next(), all.next(), all.next()]).toEqual([
      { from: 10, count: 25 },
      { from: 35, count: 25 },
      { from: 60, count: 10 },
      undefined,
    ]);
  });

  it("is reported in the order of its seeds, whoever finishes first", () => {
    const { all, told } = ranges(75);
    const [first, second, third] = [all.next(), all.next(), all.next()];
    all.done(report(third));
    all.done(report(second));
    expect(told).toEqual([]);
    all.done(report(first));
    expect(told.map(([from]) => from)).toEqual([10, 35, 60]);
  });

  it("ends with the lowest seed that breaks an invariant, and nothing more is begun", () => {
    const { all, told } = ranges(1_000);
    const [first, second, third] = [all.next(), all.next(), all.next()];
    all.done(report(third, 61));
    expect(all.next()).toBeUndefined();
    all.done(report(second, 40));
    all.done(report(first));
    expect(told).toEqual([
      [10, undefined],
      [35, 40],
    ]);
  });
});
