import type { SessionConfig } from "../config.js";
import type { Logger } from "../log.js";
import type { Participant } from "../participants/participant.js";
import type { Ports } from "../ports.js";
import type { ContextSessions } from "../store/context-sessions.js";
import type { Append, AppendResult, StepTransaction } from "../store/run-store.js";
import type { BatchSteps } from "./batch-steps.js";
import type { ChildRuns } from "./child-runs.js";
import type { Recipient } from "./coalescing-queue.js";
import type { Counters } from "./counters.js";
import type { Isolation } from "./isolation.js";
import type { RunNotifier } from "./run-notifier.js";

/** What a run's driver needs of its worker. */
export interface WorkerEnvironment {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly config: SessionConfig;
  readonly participants: Readonly<Record<string, Participant>>;
  readonly children: ChildRuns;
  readonly batches: BatchSteps;
  readonly contexts: ContextSessions | null;
  readonly notifier: RunNotifier;
  readonly counters: Counters;
  readonly isolation: Isolation;
  /** A run whose next event is further away than this is handed back to the store until then. */
  readonly parkAfterMs: number;
  /** For one append; never the same twice. */
  appendId(): string;
  append(append: Append, recipient: Recipient<Append, AppendResult>): void;
  /** What became of the row that was on its way when a driver left its run is known. */
  settled(run: string): void;
  /** Null: the store has no transactions. */
  readonly begin: (() => Promise<StepTransaction>) | null;
  /** The store's clock, as far as it can be told from here. */
  storeNow(): number;
  /** False: the lease may have expired; nothing more may be performed in its name. */
  trusted(): boolean;
  workerId(): string;
  /** There are many runs here: what only waits makes room. */
  isCrowded(): boolean;
  /** Asks for the inboxes soon. */
  lookIntoInbox(): void;
  /** A message lies in the inbox of another run. */
  messaged(run: string): void;
  /** A row was written, and these events with it; `unread` as in the `AppendResult`. */
  emitted(events: NonNullable<Append["events"]>, unread?: boolean): void;
}
