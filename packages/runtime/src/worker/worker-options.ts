import type { SessionConfig } from "../config.js";
import type { RunPlan } from "../engine/plan.js";
import type { Logger } from "../log.js";
import type { Participant } from "../participants/participant.js";
import type { Ports } from "../ports.js";
import type { ContextSessions } from "../store/context-sessions.js";
import type { RunStore } from "../store/run-store.js";
import type { NewRun } from "./child-runs.js";
import type { RunNotifier } from "./run-notifier.js";
import type { WorkerEnvironment } from "./worker-environment.js";

export interface WorkerOptions {
  readonly store: RunStore;
  readonly plans: PlanRegistry;
  readonly participants: Readonly<Record<string, Participant>>;
  readonly config: SessionConfig;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly contexts: ContextSessions | null;
  readonly notifier: RunNotifier;
  readonly label: string;
  /** Runs driven at once. Default 1,000. */
  readonly maxRuns?: number;
  /** How often the store is asked for due runs when nothing hints at any, ms. Default 500. */
  readonly pollMs?: number;
  /** Default 5,000. */
  readonly parkAfterMs?: number;
  /** Told of events that rows written here have brought, and whether messages to their run were left unread. Default: nobody. */
  readonly emitted?: WorkerEnvironment["emitted"];
  /** Told that a batch was opened, or is to be closed. Default: nobody. */
  readonly onBatch?: () => void;
  /** Told when the lease is lost, or given up in doubt: what was owned in its name is somebody else's. Default: nobody. */
  readonly onLost?: () => void;
}

/** The definitions this process can execute, by name and version. */
export interface PlanRegistry {
  find(definition: string, version: string): RunPlan | undefined;
  list(): readonly { readonly name: string; readonly version: string }[];
  readonly newRun: NewRun;
}
