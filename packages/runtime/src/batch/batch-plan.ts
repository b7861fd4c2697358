import type { RunPlan } from "../engine/plan.js";
import type { Participant } from "../participants/participant.js";
import type { BatchStage, BatchStep, RetryPolicy, ServiceCall } from "../saga/definition.js";

/** A batch with every default filled in. */
export interface BatchPlan {
  readonly definition: string;
  readonly version: string;
  readonly step: BatchStep;
  /** Of an item without stages, or of a chunk. */
  readonly act: ActPlan;
  readonly stages: readonly PlannedStage[];
  /** Of reading the source. */
  readonly reading: RetryPolicy;
  /** How often a process may die of an item before it fails. */
  readonly maxCrashes: number;
}

export interface ActPlan {
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
}

export interface PlannedStage extends ActPlan {
  readonly stage: BatchStage;
  readonly compensation: (ActPlan & { readonly call: ServiceCall }) | null;
}

/** Null: its definition is no batch. A stage goes before its service, that before the batch, and that before the manager's `recovery`. */
export function batchPlanOf(plan: RunPlan, participants: Readonly<Record<string, Participant>>): BatchPlan | null {
  const [planned] = plan.waves[0] ?? [];
  if (planned?.definition.kind !== "batch") return null;
  const step = planned.definition;
  const single = plan.strategy === "none" ? { maxAttempts: 1 } : {};
  const own = { ...planned.retry, ...step.retry, ...single };
  const actOf = (act: Pick<BatchStage, "timeoutMs" | "retry" | "call">): ActPlan => {
    const service = Object.hasOwn(participants, act.call.service) ? participants[act.call.service] : undefined;
    return {
      timeoutMs: act.timeoutMs ?? step.itemTimeoutMs ?? service?.timeoutMs ?? planned.timeoutMs,
      retry: { ...planned.retry, ...service?.retry, ...step.retry, ...act.retry, ...single },
    };
  };
  return {
    definition: plan.definition.name,
    version: plan.definition.version,
    step,
    act: { timeoutMs: step.itemTimeoutMs ?? planned.timeoutMs, retry: own },
    stages:
      step.work.kind !== "stages"
        ? []
        : step.work.stages.map((stage) => ({
            stage,
            ...actOf(stage),
            compensation: stage.compensation && { call: stage.compensation.call, ...actOf(stage.compensation) },
          })),
    reading: own,
    maxCrashes: plan.maxCrashes,
  };
}
