import { describe, expect, it } from "vitest";
import type { ContenderName } from "./contenders.js";
import { type ContenderResult, contenderFigures, ratiosOf } from "./result.js";
import type { Figures } from "./turn.js";

const NONE: Figures = {
  ...{ itemsPerS: null, startAloneMs: null, startBesideMs: null, wakeS: null },
  ...{ peakMb: 100, cpuMs: 1, serverCpuMs: 1 },
};

function result(name: ContenderName, turns: readonly Partial<Figures>[]): ContenderResult {
  return { name, title: name, durability: "", ...contenderFigures(turns.map((turn) => ({ ...NONE, ...turn }))) };
}

const contenders = [
  result("clean-arch-batch", [
    { itemsPerS: 150_000, peakMb: 120 },
    { itemsPerS: 170_000, peakMb: 140 },
  ]),
  result("bullmq-single", [{ itemsPerS: 5_000 }]),
  result("bullmq-chunked", [{ itemsPerS: 200_000 }]),
  result("clean-arch-sleepers", [{ startAloneMs: 2, startBesideMs: 2.2, wakeS: 3 }]),
];

describe("the ratios of the batch bench", () => {
  it("are of medians over the rounds", () => {
    expect(ratiosOf(contenders)).toEqual({
      ...{ items_per_s: 160_000, vs_bullmq_single: 32, vs_bullmq_chunked: 0.8, peak_mb: 130 },
      ...{ start_with_100k_sleepers: 1.1, wake_10k_s: 3 },
    });
  });

  it("are unknown where a side was not measured", () => {
    const { vs_bullmq_single, vs_bullmq_chunked, wake_10k_s } = ratiosOf(contenders.slice(0, 2));
    expect([vs_bullmq_single, vs_bullmq_chunked, wake_10k_s]).toEqual([32, null, null]);
  });

  it("compare starts of one and the same turn", () => {
    const turns = [
      { startAloneMs: 1, startBesideMs: 1 },
      { startAloneMs: 10, startBesideMs: 10 },
      { startAloneMs: 4, startBesideMs: 4 },
    ];
    expect(contenderFigures(turns.map((turn) => ({ ...NONE, ...turn }))).startRatio).toEqual({
      median: 1,
      min: 1,
      max: 1,
    });
  });
});
