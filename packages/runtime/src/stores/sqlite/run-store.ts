import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import { LocalEvents } from "../../store/local-events.js";
import type { Append, AppendResult, CreateResult, CreateRun, RunStore } from "../../store/run-store.js";
import { append } from "./append.js";
import { applyBatch } from "./batch.js";
import { BATCH_MIGRATIONS } from "./batch-schema.js";
import { createSqliteBatches } from "./batches.js";
import { claim } from "./claim.js";
import { createRun } from "./create.js";
import { type Database, openDatabase } from "./database.js";
import { EVENT_MIGRATIONS } from "./event-schema.js";
import { createSqliteEvents, type SqliteCalls } from "./event-store.js";
import { joinFile, leaveFile } from "./file-events.js";
import { signal } from "./inbox.js";
import { migrate } from "./migrate.js";
import { countRuns, listRuns, prune, strandedRuns } from "./query.js";
import { selectCheckpoints, selectJournal, selectRun } from "./run-rows.js";
import { RUN_MIGRATIONS } from "./run-schema.js";
import { begin } from "./transaction.js";
import { listWorkers, renew, retire } from "./workers.js";

export interface SqliteRunStoreOptions {
  /** Path of the database file; created with its folder when missing. */
  readonly file: string;
  /** The store's clock. Default: the system's. All processes of a file share a machine, so each one's clock is the file's. */
  readonly clock?: Clock;
  /** How long a call blocks for another process's lock, ms. Default 2,000. */
  readonly busyTimeoutMs?: number;
}

/**
 * Runs in one SQLite file. Calls are synchronous inside and take effect before their promise is returned; a batch is one
 * commit, durable when it is answered. A file has no outage while all its processes are down, so a lease that ran out
 * meanwhile is taken over at once; when the file itself did not answer (locked, full, read-only), no lease is taken
 * over until it has answered for the length of a lease.
 */
export function createSqliteRunStore(options: SqliteRunStoreOptions): RunStore {
  const { file, clock = systemPorts.clock } = options;
  const local = new LocalEvents();
  let db: Database | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const opened = (): Database => {
    if (db) return db;
    const message = `expected the store ${file} to be open, got a call before open or after close`;
    throw new RuntimeError("store-unavailable", message, { file });
  };
  const answer = async <T>(call: (db: Database, now: number) => T): Promise<T> => {
    const open = opened();
    const now = clock.now();
    try {
      return call(open, now);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "store-unavailable") failedAt = now;
      throw error;
    }
  };
  /** Of events that were put; also of some that were not, for a hint costs whoever hears it one look. */
  const tell = (elements: readonly { readonly events?: readonly EventMessage[] }[]): void => {
    for (const { events } of elements) if (events) local.put(events);
  };
  const write = <T>(call: (db: Database, now: number) => T): Promise<T> =>
    answer((open, now) => open.transaction(() => call(open, now)));
  const writeBriefly = async <T>(call: (db: Database, now: number) => T): Promise<T> => {
    const open = opened();
    return open.briefly(() => open.transaction(() => call(open, clock.now())));
  };
  const calls: SqliteCalls = { answer, write, writeBriefly, now: () => clock.now() };

  return {
    open: async () => {
      if (db) return;
      const found = openDatabase(file, options);
      try {
        migrate(found, "runs", RUN_MIGRATIONS, clock.now());
        migrate(found, "events", EVENT_MIGRATIONS, clock.now());
        migrate(found, "batches", BATCH_MIGRATIONS, clock.now());
        db = found;
        local.open(joinFile(found.file));
      } finally {
        if (!db) found.close();
      }
    },
    close: async () => {
      if (db) leaveFile(db.file);
      local.close();
      db?.close();
      db = undefined;
    },
    ping: () => answer((open) => void open.all("select 1 from clean_arch_workers limit 1")),
    now: () => answer((_, now) => now),
    create: (runs) =>
      answer((open, now) => {
        const results = applyBatch<CreateRun, CreateResult>(
          open,
          runs,
          (run) => createRun(open, run, now),
          (reason) => ({ kind: "rejected", reason }),
        );
        tell(runs);
        return results;
      }),
    claim: (request) => write((open, now) => claim(open, request, now)),
    append: (appends) =>
      answer((open, now) => {
        const results = applyBatch<Append, AppendResult>(
          open,
          appends,
          (element) => append(open, element, now),
          (reason) => ({ kind: "rejected", reason }),
        );
        tell(appends);
        return results;
      }),
    begin: () =>
      answer((open) =>
        begin(
          open,
          () => clock.now(),
          (element) => tell([element]),
        ),
      ),
    renew: (request) => write((open, now) => renew(open, request, now, failedAt + request.leaseMs)),
    retire: (worker) => write((open, now) => retire(open, worker, now)),
    signal: (signals) =>
      answer((open, now) =>
        applyBatch(
          open,
          signals,
          (element) => signal(open, element, now),
          () => "rejected",
        ),
      ),
    get: (id) => answer((open) => selectRun(open, id)),
    journal: (id, afterSeq = 0, limit = 1_000) => answer((open) => selectJournal(open, id, afterSeq, limit)),
    checkpoints: (id) => answer((open) => selectCheckpoints(open, id, Number.MAX_SAFE_INTEGER)),
    list: (query) => answer((open) => listRuns(open, query)),
    workers: () => answer(listWorkers),
    count: () => answer(countRuns),
    stranded: (known) => answer((open) => strandedRuns(open, known)),
    prune: (endedBefore, limit) => write((open) => prune(open, endedBefore, limit)),
    events: createSqliteEvents(calls, local),
    batches: createSqliteBatches(calls),
  };
}
