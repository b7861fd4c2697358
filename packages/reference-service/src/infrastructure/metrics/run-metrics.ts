import type { Runs } from "../../application/ports/runs.js";
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
    ];
  };
}

function one(type: "counter" | "gauge", name: string, help: string, value: number): MetricFamily {
  return { name, help, type, samples: [{ value }] };
}
