import type { EventMessage } from "../broker/event-message.js";
import {
  type Failure,
  isEnded,
  type JournalRecord,
  type JournalRow,
  type RollbackStatus,
  type RunStatus,
} from "../engine/records.js";
import type { Json } from "../json.js";
import type { BatchStore } from "./batch-store.js";
import type { DefinitionRef } from "./definition-ref.js";
import type { EventStore } from "./event-store.js";

export type { DefinitionRef } from "./definition-ref.js";

/** How appends share the way to the store. */
export interface Lanes {
  /** On their way at once, at most. */
  readonly count: number;
  /** Rows from which on an append goes out beside another: it is a commit of its own. */
  readonly worth: number;
}

/**
 * Where runs live. Every element of a batched call changes exactly one run, atomically, and gets its own result, in the
 * order given; one bad element never fails the others. Time is the store's own. A call that cannot be answered throws
 * `store-unavailable`; its effect is then unknown and the caller sends the same elements again.
 */
export interface RunStore {
  /** Makes the store ready (schema, migrations under a lock). Idempotent; safe from many processes at once. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the store answers, throws `store-unavailable` otherwise. */
  ping(): Promise<void>;
  /** The store's clock, ms since the epoch. */
  now(): Promise<number>;

  /** Starts runs. Of many calls with one (tenant, definition, key), one creates and the others get that run. */
  create(runs: readonly CreateRun[]): Promise<CreateResult[]>;
  /**
   * Takes up to `limit` due runs for an active worker: never-owned ones, parked ones whose time or signal came, and those
   * of dead workers; the highest priority first, then the oldest. Only runs whose (definition, version) is listed. A run
   * owned before gets a `claimed` row, which fences off its previous owner and says whether that one's lease had run out
   * (`crashed`) or it had parked the run or retired. A `pending` or `waiting` run is `running` from
   * here on. Returns nothing for a worker that is not active.
   */
  claim(request: ClaimRequest): Promise<ClaimedRun[]>;
  /** Writes one row each, and whatever else belongs to it, if and only if `fence` and `seq` are the run's next. */
  append(appends: readonly Append[]): Promise<AppendResult[]>;
  /** Registers the worker or extends its lease, reconciles what it owns and brings its runs' inbox. */
  renew(request: RenewRequest): Promise<RenewResult>;
  /** Gives up the lease at once: the worker's runs are due for others. Harmless when it is unknown. */
  retire(worker: string): Promise<void>;
  /**
   * Puts messages into runs' inboxes and wakes the runs. The same id twice is one message, also after the run ended. A run
   * with `MAX_UNREAD` unconsumed messages takes no more (`full`) until it has consumed some.
   */
  signal(signals: readonly Signal[]): Promise<SignalResult[]>;

  get(id: string): Promise<RunRow | undefined>;
  /** Rows with `seq > afterSeq`, oldest first, at most `limit` (default 1,000). Empty for an unknown run. */
  journal(id: string, afterSeq?: number, limit?: number): Promise<JournalRow[]>;
  /** Newest first. */
  checkpoints(id: string): Promise<Checkpoint[]>;
  list(query: RunQuery): Promise<RunPage>;
  /** Live and recently dead workers, newest first. */
  workers(): Promise<WorkerRow[]>;
  /** Runs by status, for metrics. */
  count(): Promise<Partial<Record<RunStatus, number>>>;
  /** Open runs whose (definition, version) is not among `known`, counted; at most 100 rows, most runs first. */
  stranded(known: readonly DefinitionRef[]): Promise<StrandedRuns[]>;
  /**
   * Deletes up to `limit` runs that ended before, with all that belongs to them. Returns how many. A run that was started by
   * another one is kept until the first of them, its root, has ended.
   */
  prune(endedBefore: number, limit: number): Promise<number>;

  /** Calls back, from `open` to `close`, when something may have changed. Hints save latency and may be lost, doubled or late. */
  listen?(onHint: (hint: StoreHint) => void): void;
  /** Appends of different runs that are worth having on their way at once. Default: one, and all that comes meanwhile in the next. */
  readonly lanes?: Lanes;
  /**
   * A transaction of the store's own database, for a step whose effect lies there. Only stores that have such a database
   * offer it. At most one is open per run; meanwhile nothing else is appended to that run.
   */
  begin?(): Promise<StepTransaction>;
  /** Events in the store's own database. */
  readonly events?: EventStore;
  /** Batches in the store's own database. */
  readonly batches?: BatchStore;
}

/** Unconsumed messages that a run keeps. Those that an append brings (`Append.signals`) count, and are taken all the same. */
export const MAX_UNREAD = 1_000;

/** `due`: runs may be claimable. `inbox`, `ended`: of the run named. */
export type StoreHint =
  | { readonly kind: "due" }
  | { readonly kind: "inbox"; readonly run: string }
  | { readonly kind: "ended"; readonly run: string };

export interface StrandedRuns {
  readonly definition: string;
  readonly version: string;
  readonly runs: number;
}

/**
 * The step's effect and its journal row commit together, or neither does. `commit` throwing `store-unavailable` leaves that
 * open: whoever then writes another row at the same seq learns it, for the journal's key waits for the half-dead transaction.
 */
export interface StepTransaction {
  /** The driver's own client (`pg.PoolClient`; for SQLite the store's `Database`), inside the transaction. */
  readonly client: unknown;
  /**
   * What can be said against the effect before its row is decided on. Throws what a deferred constraint finds, or that a
   * statement had failed; then only `rollback` may follow. Answers at once where the database does.
   */
  check(): Promise<void> | undefined;
  /** Inserts the row as the last statement and commits. A result other than `appended` has rolled everything back. */
  commit(append: Append): Promise<AppendResult>;
  /** Harmless after the end. */
  rollback(): Promise<void>;
}

export interface RunRow {
  /** UUIDv7. */
  readonly id: string;
  readonly tenant: string;
  readonly type: "saga" | "task" | "batch";
  readonly definition: string;
  /** Fingerprint of the definition's shape, pinned at the start. */
  readonly version: string;
  readonly status: RunStatus;
  readonly failureReason: Failure | null;
  readonly rollbackStatus: RollbackStatus;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly restartedFrom: string | null;
  /** Idempotency key, scoped to (tenant, definition). */
  readonly key: string | null;
  readonly inputHash: string;
  readonly businessKey: string | null;
  /** What the run can be searched by, beside its keys; null: nothing. At most 20, with keys like names and values of up to 256 characters. */
  readonly attributes: Readonly<Record<string, string>> | null;
  readonly sessionId: string | null;
  readonly queue: string;
  readonly partitionKey: string | null;
  readonly priority: number;
  readonly input: Json;
  readonly output: Json;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
  /** When a parked run is due; null: only when signaled, or owned. */
  readonly wakeAt: number | null;
  readonly owner: string | null;
  readonly fence: number;
  readonly seq: number;
}

export interface CreateRun
  extends Pick<
    RunRow,
    | "id"
    | "tenant"
    | "type"
    | "definition"
    | "version"
    | "key"
    | "inputHash"
    | "businessKey"
    | "attributes"
    | "sessionId"
    | "queue"
    | "partitionKey"
    | "priority"
    | "input"
    | "rootId"
    | "parentId"
    | "restartedFrom"
  > {
  /**
   * When the key's run ended `failed`, `compensated` or `cancelled`: take the key over from it, in the same write, with
   * `restartedFrom` set to it, whatever the two inputs are. The former run still shows its key and holds it no more. False:
   * the key keeps its run whatever became of it.
   */
  readonly restart?: boolean;
  /** For the outbox, in the same write, when the run is created. Only where the store has `events`; one that it cannot store makes it `rejected`. */
  readonly events?: readonly EventMessage[];
  /** Claim it in the same write, with the first row of its journal (fence 1, seq 1). Ignored when the worker is not active. */
  readonly claim: {
    readonly worker: string;
    readonly appendId: string;
    readonly records: readonly JournalRecord[];
  } | null;
}

/** Whether a run that ended so gives its key to a restart. */
export function mayRestart(status: RunStatus): boolean {
  return isEnded(status) && status !== "completed";
}

export type CreateResult =
  /** `row` is the journal's first row when it was claimed in the same write, else null. */
  | { readonly kind: "created"; readonly run: RunRow; readonly row: JournalRow | null }
  | { readonly kind: "existing"; readonly run: RunRow }
  | { readonly kind: "rejected"; readonly reason: string };

export interface ClaimRequest {
  readonly worker: string;
  readonly definitions: readonly DefinitionRef[];
  readonly limit: number;
}

export interface ClaimedRun {
  readonly run: RunRow;
  readonly rows: readonly JournalRow[];
  readonly inbox: readonly InboxEntry[];
  /** The newest one, for restoring the context. */
  readonly checkpoint: Checkpoint | null;
}

export interface Append {
  readonly run: string;
  readonly fence: number;
  /** The seq this row will have. */
  readonly seq: number;
  readonly appendId: string;
  readonly records: readonly JournalRecord[];
  /** Changes of the run's row, left out when nothing changed. */
  readonly change?: RunChange;
  readonly next: Next;
  /** Inbox entries handled by this row. */
  readonly consumed?: readonly string[];
  /**
   * Messages for other runs, in the same write: a child's end for its parent. They wake those runs. Those to unknown or ended
   * runs, and those whose id the run has seen, are dropped. One to the run itself makes the append `rejected`.
   */
  readonly signals?: readonly Signal[];
  /** For the outbox, in the same write. Only where the store has `events`; one that it cannot store makes the append `rejected`. */
  readonly events?: readonly EventMessage[];
  readonly checkpoint?: Pick<Checkpoint, "n" | "context"> & { readonly keep: number };
}

export interface RunChange {
  readonly status?: RunStatus;
  readonly failureReason?: Failure | null;
  readonly rollbackStatus?: RollbackStatus;
  readonly output?: Json;
}

export type Next =
  /** The worker goes on with it. */
  | { readonly kind: "keep" }
  /**
   * Nobody owns it until `delayMs` from now (null: until signaled). Not parked when its inbox holds unconsumed entries;
   * everything else of the append counts all the same.
   */
  | { readonly kind: "park"; readonly delayMs: number | null }
  /** It ended: `change.status` says how; it is never claimed again. */
  | { readonly kind: "finish" };

/**
 * `lease-lost`: the fence or the seq is not the run's next one, or the run ended or is unknown; nothing changed.
 * `rejected`: the append itself cannot be stored; nothing changed, sending it again cannot help.
 */
export type AppendResult =
  /**
   * `at` and `parked` of the row; those of the first time when the same append was sent again. `unread`, of an end: whether messages lay in the
   * inbox that it did not consume; undefined: not known.
   */
  | { readonly kind: "appended"; readonly at: number; readonly parked: boolean; readonly unread?: boolean }
  | { readonly kind: "lease-lost" }
  | { readonly kind: "rejected"; readonly reason: string };

export interface RenewRequest {
  readonly worker: string;
  /** Shown to operators: host name, process id. */
  readonly label: string;
  readonly leaseMs: number;
  /** Every run this worker believes it owns, or may own by a call still under way. */
  readonly runs: readonly string[];
}

export type RenewResult =
  | {
      readonly kind: "active";
      readonly now: number;
      /** Owned by this worker in the store, unknown to it: a claim whose reply was lost. */
      readonly adopted: readonly ClaimedRun[];
      /** Believed by the worker, owned by somebody else (or nobody) in the store. */
      readonly lost: readonly string[];
      readonly inbox: readonly InboxEntry[];
    }
  /** Another worker holds what only one may hold (one worker per SQLite file). Ask again. */
  | { readonly kind: "standby"; readonly holder: string; readonly expiresAt: number }
  /** Declared dead, its runs may have been taken over: go on under a new id. */
  | { readonly kind: "dead" };

export interface Signal {
  readonly run: string;
  /** For dropping duplicates within the run. */
  readonly id: string;
  readonly kind: "verb" | "signal" | "child" | "event";
  readonly name: string;
  readonly payload: Json;
  readonly actor: string;
}

/** `rejected`: the signal itself cannot be stored (an empty id, a NUL character). `full`: too many unread ones before it. */
export type SignalResult = "accepted" | "duplicate" | "ended" | "not-found" | "full" | "rejected";

export interface InboxEntry extends Signal {
  readonly at: number;
}

/** A durable snapshot of a run's context. Ordered by (fence, n). */
export interface Checkpoint {
  readonly run: string;
  readonly fence: number;
  readonly n: number;
  /** The journal is contained in the snapshot up to this row. */
  readonly seq: number;
  readonly at: number;
  readonly context: Json;
}

export interface RunQuery {
  readonly tenant?: string;
  readonly status?: readonly RunStatus[];
  readonly definition?: string;
  /** Created at or after, ms since the epoch. */
  readonly since?: number;
  /** Created before, ms since the epoch. */
  readonly until?: number;
  readonly sessionId?: string;
  readonly businessKey?: string;
  /** Runs that have all of these. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly parentId?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface RunPage {
  /** Newest first. */
  readonly items: readonly RunRow[];
  readonly nextCursor: string | null;
}

export interface WorkerRow {
  readonly id: string;
  readonly label: string;
  readonly startedAt: number;
  readonly renewedAt: number;
  readonly expiresAt: number;
  readonly dead: boolean;
  readonly runs: number;
}
