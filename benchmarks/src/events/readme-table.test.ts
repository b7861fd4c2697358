import { expect, it } from "vitest";
import { eventTables } from "./readme-table.js";
import { detailsOf, type EventResult, ratiosOf, scenarioResult } from "./result.js";

const figures = {
  ...{ perSecond: 5_234, p50Ms: 3.456, p99Ms: 9, cpuUs: 1, databaseCpuUs: 1, brokerCpuUs: 1, acts: 1 },
};
const contenders: EventResult["contenders"] = [
  {
    ...{ name: "clean-arch-events", title: "ours", durability: "" },
    scenarios: [
      scenarioResult("event-100", [figures]),
      scenarioResult("event-idle", [{ ...figures, perSecond: null }]),
    ],
  },
];
const result: EventResult = {
  ...{ suite: "events", date: "2026-11-28", quick: false, rounds: 5, failures: [], contenders },
  ...{ ratios: ratiosOf(contenders), details: detailsOf(contenders) },
  machine: {
    ...{ cpu: "a CPU", cores: 2, memoryGiB: 24, system: "", postgresDurability: "", natsDurability: "" },
    versions: { PostgreSQL: "15", NATS: "2.9" },
  },
};

it("shows what was measured, and leaves the cells of the rest empty", () => {
  const tables = eventTables(result);
  expect(tables).toContain("| ours | 5,230 | 3.46 ms | 9 ms |  |  |");
  expect(tables).toContain("| `idle_latency_ms_p50` | 3.46 | at most 10 |");
  expect(tables).toContain("| `of_bare_jetstream` | not measured | at least 0.5 |");
});
