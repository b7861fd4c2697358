import type { JournalRow } from "../../engine/records.js";
import type { Json } from "../../json.js";
import type { Checkpoint, ClaimedRun, InboxEntry, RunRow } from "../../store/run-store.js";
import type { BatchWorld } from "./batch-world.js";
import { createEventWorld, type EventWorld } from "./event-world.js";

/**
 * What memory stores hold, apart from the store objects: several stores on one world are several processes on one
 * database, and a store opened on the world of a crashed one finds everything that was acknowledged. Payloads are kept
 * as JSON text, so no object is shared with a caller.
 */
export interface MemoryWorld {
  /** By id, in the order of creation. */
  readonly runs: Map<string, StoredRun>;
  /** Run ids by (tenant, definition, key). */
  readonly keys: Map<string, string>;
  /** Live and recently dead ones, in the order of registration. */
  readonly workers: Map<string, StoredWorker>;
  /** What steps' transactions wrote, JSON by key. */
  readonly values: Map<string, string>;
  readonly events: EventWorld;
  readonly batches: BatchWorld;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export interface StoredRun extends Writable<Omit<RunRow, "input" | "attributes" | "output" | "failureReason" | "seq">> {
  input: string;
  attributes: string | null;
  output: string;
  failureReason: string | null;
  /** What took its last owner away was the end of the lease; the next `claimed` row says so. */
  crashed: boolean;
  /** Index = seq - 1. */
  readonly journal: StoredRow[];
  /** By signal id, consumed ones included: they keep duplicates out. */
  readonly inbox: Map<string, StoredEntry>;
  /** Newest first, by (fence, n). */
  checkpoints: StoredCheckpoint[];
}

export interface StoredRow extends Omit<JournalRow, "v" | "run" | "records"> {
  readonly records: string;
  /** What the append was answered. */
  readonly parked: boolean;
}

export interface StoredEntry extends Omit<InboxEntry, "run" | "payload"> {
  readonly payload: string;
  consumed: boolean;
}

export interface StoredCheckpoint extends Omit<Checkpoint, "run" | "context"> {
  readonly context: string;
}

export interface StoredWorker {
  readonly id: string;
  label: string;
  readonly startedAt: number;
  renewedAt: number;
  expiresAt: number;
  dead: boolean;
}

export function createMemoryWorld(): MemoryWorld {
  return {
    ...{ runs: new Map(), keys: new Map(), workers: new Map(), values: new Map() },
    ...{ events: createEventWorld(), batches: new Map() },
  };
}

export function runRow({ journal, inbox: _, checkpoints: __, crashed: ___, ...run }: StoredRun): RunRow {
  return {
    ...run,
    attributes: run.attributes === null ? null : (JSON.parse(run.attributes) as RunRow["attributes"]),
    seq: journal.length,
    input: JSON.parse(run.input) as Json,
    output: JSON.parse(run.output) as Json,
    failureReason: run.failureReason === null ? null : (JSON.parse(run.failureReason) as RunRow["failureReason"]),
  };
}

export function journalRow(run: string, { parked: _, ...row }: StoredRow): JournalRow {
  return { v: 1, run, ...row, records: JSON.parse(row.records) as JournalRow["records"] };
}

function inboxEntry(run: string, { consumed: _, ...entry }: StoredEntry): InboxEntry {
  return { run, ...entry, payload: JSON.parse(entry.payload) as Json };
}

export function checkpointOf(run: string, checkpoint: StoredCheckpoint): Checkpoint {
  return { run, ...checkpoint, context: JSON.parse(checkpoint.context) as Json };
}

/** Unconsumed entries, oldest first. */
export function openInbox(run: StoredRun): InboxEntry[] {
  return [...run.inbox.values()].filter((entry) => !entry.consumed).map((entry) => inboxEntry(run.id, entry));
}

/** Everything the new owner of a run needs. */
export function claimedRun(run: StoredRun): ClaimedRun {
  const [newest] = run.checkpoints;
  return {
    run: runRow(run),
    rows: run.journal.map((row) => journalRow(run.id, row)),
    inbox: openInbox(run),
    checkpoint: newest ? checkpointOf(run.id, newest) : null,
  };
}
