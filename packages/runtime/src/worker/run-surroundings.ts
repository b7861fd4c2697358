import type { RunPlan } from "../engine/plan.js";
import type { RunState } from "../engine/state.js";
import type { Participant } from "../participants/participant.js";
import type { Clock } from "../ports.js";
import type { RunRow } from "../store/run-store.js";
import type { BatchSteps } from "./batch-steps.js";
import type { ChildRuns } from "./child-runs.js";
import type { ContextKeeper } from "./context-keeper.js";
import type { StepTransactions } from "./step-transactions.js";

/** What all attempts of a run share. */
export interface RunSurroundings {
  readonly plan: RunPlan;
  readonly state: RunState;
  readonly run: RunRow;
  readonly participants: Readonly<Record<string, Participant>>;
  readonly children: ChildRuns;
  readonly batches: BatchSteps;
  readonly context: ContextKeeper;
  readonly clock: Clock;
  readonly transactions: StepTransactions;
}
