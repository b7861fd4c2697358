import type { BatchCounters } from "../batch/batch-environment.js";
import type { SagaMetrics } from "../saga/manager.js";
import type { DefinitionRef, RunStore } from "../store/run-store.js";
import type { Counters } from "../worker/counters.js";

export interface Counted extends Pick<SagaMetrics, "schedules" | "events"> {
  readonly store: Pick<RunStore, "count" | "stranded">;
  /** Definitions that are registered here. */
  readonly known: readonly DefinitionRef[];
  readonly worker: { readonly counters: Counters; readonly activeRuns: number; readonly flushes: number };
  readonly batches: { readonly counters: BatchCounters } | null;
  readonly queues: Promise<SagaMetrics["queues"]>;
}

export async function metricsOf(counted: Counted): Promise<SagaMetrics> {
  const { store, known, worker, batches, schedules, events } = counted;
  const { stepsCompleted, stepsFailed, stepsRetried, compensations, appends, leaseLost } = worker.counters;
  const [runsByStatus, stranded, queues] = await Promise.all([store.count(), store.stranded(known), counted.queues]);
  return {
    runsByStatus,
    parkedRuns: (runsByStatus.stuck ?? 0) + (runsByStatus.paused ?? 0),
    strandedRuns: stranded.reduce((sum, { runs }) => sum + runs, 0),
    activeRuns: worker.activeRuns,
    flushes: worker.flushes,
    ...{ schedules, queues, events },
    ...{ stepsCompleted, stepsFailed, stepsRetried, compensations, appends, leaseLost },
    batchItemsDone: batches?.counters.itemsDone ?? 0,
    batchItemsFailed: batches?.counters.itemsFailed ?? 0,
  };
}
