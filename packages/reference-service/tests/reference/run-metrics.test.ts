/** What is told of runs, beside what every service has: the events of choreographed sagas, where there are any. */
import { expect, it } from "vitest";
import type { Runs, SagaMetrics } from "../../src/application/ports/runs.js";
import { runMetrics } from "../../src/infrastructure/metrics/run-metrics.js";

const bare: SagaMetrics = {
  ...{ runsByStatus: {}, parkedRuns: 0, strandedRuns: 0, activeRuns: 0, stepsCompleted: 0, stepsFailed: 0 },
  ...{ stepsRetried: 0, compensations: 0, appends: 0, flushes: 0, leaseLost: 0, queues: [], events: null },
};
const counts = {
  ...{ handled: 7, duplicates: 0, failed: 2, timedOut: 0, parked: 3, redriven: 1 },
  ...{ batches: 0, batchesUndone: 0, published: 9, rewound: 4 },
};

async function named(metrics: SagaMetrics, prefix = "clean_arch_saga_events_"): Promise<Record<string, number>> {
  const families = await runMetrics({ metrics: async () => metrics } as Runs)();
  const told = families.filter(({ name }) => name.startsWith(prefix));
  return Object.fromEntries(told.map(({ name, samples }) => [name, samples[0]?.value ?? Number.NaN]));
}

it("tells of the events of choreographed sagas, and nothing where there are none", async () => {
  expect(await named(bare)).toEqual({});
  expect(await named({ ...bare, events: counts })).toEqual({
    clean_arch_saga_events_handled_total: 7,
    clean_arch_saga_events_failed_total: 2,
    clean_arch_saga_events_parked_total: 3,
    clean_arch_saga_events_redriven_total: 1,
    clean_arch_saga_events_published_total: 9,
    clean_arch_saga_events_rewound_total: 4,
  });
});

it("tells how each limited queue stands, and nothing where there are none", async () => {
  const queue = { ...{ queue: "mail", concurrency: 2, concurrencyPerKey: null, rateLimit: null }, nextStartAt: null };
  expect(await named(bare, "clean_arch_queue_")).toEqual({});
  expect(
    await named({ ...bare, queues: [{ ...queue, waiting: 5, delayed: 1, running: 2 }] }, "clean_arch_queue_"),
  ).toEqual({
    ...{ clean_arch_queue_waiting: 5, clean_arch_queue_delayed: 1, clean_arch_queue_running: 2 },
  });
});
