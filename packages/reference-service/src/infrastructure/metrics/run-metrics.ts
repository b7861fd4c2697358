import type { Runs, SagaMetrics } from "../../application/ports/runs.js";
import type { MetricFamily, MetricSource } from "./metrics.js";

/** Runs and steps as the runtime counts them. */
export function runMetrics(runs: Runs): MetricSource {
  return async () => {
    const facts = await runs.metrics();
    const byStatus = Object.entries(facts.runsByStatus).map(([status, value]) => ({
      labels: { status },
      value: value ?? 0,
    }));
    return [
      { name: "clean_arch_runs", help: "Runs by status.", type: "gauge", samples: byStatus },
      one("gauge", "clean_arch_stranded_runs", "Open runs whose definition is not here.", facts.strandedRuns),
      one("gauge", "clean_arch_active_runs", "Runs this instance advances now.", facts.activeRuns),
      one("counter", "clean_arch_steps_completed_total", "Steps completed.", facts.stepsCompleted),
      one("counter", "clean_arch_steps_failed_total", "Steps that failed for good.", facts.stepsFailed),
      one("counter", "clean_arch_steps_retried_total", "Attempts after the first.", facts.stepsRetried),
      one("counter", "clean_arch_compensations_total", "Compensations performed.", facts.compensations),
      one("counter", "clean_arch_appends_total", "Rows appended to journals.", facts.appends),
      one("counter", "clean_arch_flushes_total", "Writes that carried them.", facts.flushes),
      one("counter", "clean_arch_lease_lost_total", "Runs lost to another instance.", facts.leaseLost),
      ...(facts.queues.length === 0 ? [] : queued(facts.queues)),
      ...(facts.events === null ? [] : choreographed(facts.events)),
    ];
  };
}

/** Of queues with limits, as all instances see them. */
function queued(queues: SagaMetrics["queues"]): MetricFamily[] {
  const gauge = (what: "waiting" | "delayed" | "running", help: string): MetricFamily => ({
    ...{ name: `clean_arch_queue_${what}`, help, type: "gauge" },
    samples: queues.map((state) => ({ labels: { queue: state.queue }, value: state[what] })),
  });
  return [
    gauge("waiting", "Runs that are due and wait for a place in their queue."),
    gauge("delayed", "Runs of the queue that are to begin later."),
    gauge("running", "Places of the queue that are held."),
  ];
}

/** Of sagas whose stages react to each other's events. */
function choreographed(counts: NonNullable<SagaMetrics["events"]>): MetricFamily[] {
  const count = (what: keyof typeof counts, help: string): MetricFamily =>
    one("counter", `clean_arch_saga_events_${what}_total`, help, counts[what]);
  return [
    count("handled", "Events of sagas that were reacted to."),
    count("failed", "Reactions that failed; another follows, or the event is parked."),
    count("parked", "Events that no reaction to was possible; their sagas stand still."),
    count("redriven", "Parked events that were reacted to after all."),
    count("published", "Events that the broker took, again ones included."),
    count("rewound", "Times that a broker had lost what it took, and got it again."),
  ];
}

function one(type: "counter" | "gauge", name: string, help: string, value: number): MetricFamily {
  return { name, help, type, samples: [{ value }] };
}
