import { freeChunksOf } from "../../store/local-batches.js";
import type { RenewRequest, RenewResult, WorkerRow } from "../../store/run-store.js";
import { sqliteBatchTables } from "./batch-tables.js";
import type { Database } from "./database.js";
import { isAlive } from "./leases.js";
import { selectClaimed, selectInbox } from "./run-rows.js";

/**
 * Leases. One worker per file is active; others stand by until its lease expires or it retires. A worker is active while
 * it is not dead and its lease has not expired; an expired one that nobody declared dead may renew. At a takeover the
 * old worker is declared dead first and its runs become due, so that it learns about it at its next renewal.
 */
interface StoredWorker {
  readonly id: string;
  readonly expiresAt: number;
  readonly dead: number;
}

const WORKERS = `select id, expires_at as "expiresAt", dead from clean_arch_workers where dead = 0 or id = ?`;

const REGISTER = `
insert into clean_arch_workers (id, label, started_at, renewed_at, expires_at) values (?, ?, ?, ?, ?)
on conflict (id) do update set label = excluded.label, renewed_at = excluded.renewed_at, expires_at = excluded.expires_at`;

/** Within a transaction. `noTakeoverBefore`: until then an expired lease may be the fault of an outage of the file. */
export function renew(db: Database, request: RenewRequest, now: number, noTakeoverBefore: number): RenewResult {
  const workers = db.all<StoredWorker>(WORKERS, [request.worker]);
  if (workers.some((worker) => worker.id === request.worker && worker.dead === 1)) return { kind: "dead" };
  for (const { id, expiresAt } of workers) {
    if (id === request.worker) continue;
    const takeoverAt = Math.max(expiresAt, noTakeoverBefore);
    if (takeoverAt > now) return { kind: "standby", holder: id, expiresAt: takeoverAt };
    bury(db, id, now, true);
  }
  db.run(REGISTER, [request.worker, request.label, now, now, now + request.leaseMs]);
  return reconcile(db, request, now);
}

function reconcile(db: Database, { worker, runs }: RenewRequest, now: number): RenewResult {
  const owned = new Set(
    db.all<{ id: string }>("select id from clean_arch_runs where owner = ? order by id", [worker]).map((run) => run.id),
  );
  const believed = new Set(runs);
  const adopted = [...owned].filter((id) => !believed.has(id));
  const inbox = selectInbox(db, "in (select id from clean_arch_runs where owner = ?)", [worker]);
  return {
    kind: "active",
    now,
    adopted: adopted.map((id) => selectClaimed(db, id)),
    lost: runs.filter((id) => !owned.has(id)),
    inbox: inbox.filter((entry) => believed.has(entry.run)),
  };
}

export function retire(db: Database, worker: string, now: number): void {
  if (isAlive(db, worker)) bury(db, worker, now, false);
}

const MAX_DEAD = 50;

function bury(db: Database, worker: string, now: number, crashed: boolean): void {
  db.run("update clean_arch_workers set dead = 1, expires_at = min(expires_at, ?) where id = ?", [now, worker]);
  const free = "update clean_arch_runs set owner = null, crashed = ?, ready = 1, wake_at = ? where owner = ?";
  db.run(free, [crashed ? 1 : 0, now, worker]);
  freeChunksOf(sqliteBatchTables(db, now), worker, crashed, now);
  const forgotten = "select id from clean_arch_workers where dead = 1 order by rowid desc limit -1 offset ?";
  db.run(`delete from clean_arch_workers where id in (${forgotten})`, [MAX_DEAD]);
}

const LIST = `
select id, label, started_at as "startedAt", renewed_at as "renewedAt", expires_at as "expiresAt", dead,
  (select count(*) from clean_arch_runs where owner = clean_arch_workers.id) as runs
from clean_arch_workers order by rowid desc`;

export function listWorkers(db: Database): WorkerRow[] {
  return db.all<Omit<WorkerRow, "dead"> & { dead: number }>(LIST).map((row) => ({ ...row, dead: row.dead === 1 }));
}
