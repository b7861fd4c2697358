import { expect, it } from "vitest";
import { batchTables } from "./readme-table.js";
import { type BatchResult, contenderFigures } from "./result.js";

const figures = { startAloneMs: null, startBesideMs: null, wakeS: null, cpuMs: 1, serverCpuMs: 1 };

it("says who did how many items, and what is to be reached", () => {
  const result: BatchResult = {
    ...{ suite: "batch", date: "2026-01-01", quick: false, rounds: 5, failures: [] },
    machine: {
      ...{
        cpu: "a processor",
        cores: 2,
        memoryGiB: 8,
        system: "Linux",
        versions: { PostgreSQL: "15.1", Redis: "7.0" },
      },
      ...{ postgresDurability: "fsync=on", redisSettings: "" },
    },
    contenders: [
      {
        ...{ name: "clean-arch-batch", title: "ours", durability: "" },
        ...contenderFigures([{ ...figures, itemsPerS: 123_000, peakMb: 120 }]),
      },
    ],
    ratios: {
      ...{ items_per_s: 123_000, vs_bullmq_single: null, vs_bullmq_chunked: null, peak_mb: 120 },
      ...{ start_with_100k_sleepers: null, wake_10k_s: null },
    },
    details: { bullmq_single_items_per_s: null, bullmq_chunked_items_per_s: null, start_ms_p50: null },
  };
  const tables = batchTables(result);
  expect(tables).toContain("| ours | 123,000 | 120 MB |  |  |  |");
  expect(tables).toContain("| `items_per_s` | 123000 | at least 100000 |");
  expect(tables).toContain("| `vs_bullmq_single` | not measured | at least 15 |");
});
