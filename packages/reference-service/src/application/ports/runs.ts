import type { SagaManager } from "@clean-arch/runtime";

/** Sagas, tasks and their runs as the interfaces use them; the runtime's manager is one. */
export type Runs = Omit<SagaManager, "open" | "close">;

export type {
  Checkpoint,
  DefinitionView,
  InstanceView,
  JournalRow,
  Json,
  JsonObject,
  RunEvent,
  RunStatus,
  RunSummary,
  RunVerb,
  RunView,
  SagaMetrics,
  StepView,
} from "@clean-arch/runtime";
export { isEnded } from "@clean-arch/runtime";
