import type { FailedItemPage, SagaManager } from "@clean-arch/runtime";

/** Sagas, tasks and their runs as the interfaces use them; the runtime's manager is one. */
export type Runs = Omit<SagaManager, "open" | "close">;

export type FailedItem = FailedItemPage["items"][number];

export type {
  Checkpoint,
  DefinitionView,
  InstanceView,
  ItemsView,
  JournalRow,
  Json,
  JsonObject,
  QueueView,
  RunEvent,
  RunStatus,
  RunSummary,
  RunVerb,
  RunView,
  SagaMetrics,
  ScheduleView,
  StepView,
} from "@clean-arch/runtime";
export { isEnded } from "@clean-arch/runtime";
