import type { JournalRow } from "../../engine/records.js";
import { encodeCreate } from "../../store/run-codec.js";
import { type CreateResult, type CreateRun, mayRestart, type RunRow } from "../../store/run-store.js";
import type { Database } from "./database.js";
import { isActive } from "./leases.js";
import { insertAll } from "./outbox.js";
import { selectJournal, selectRun, selectRuns } from "./run-rows.js";

const INSERT_RUN = `
insert into clean_arch_runs (
  id, tenant, type, definition, version, status, failure_reason, rollback_status, root_id, parent_id, restarted_from, key,
  holds_key, input_hash, business_key, attributes, session_id, queue, partition_key, priority, created_at, updated_at, ended_at, wake_at, ready,
  owner, fence, output, input)
values (?, ?, ?, ?, ?, ?, null, 'none', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, ?, ?, ?, ?, 'null', ?)`;

const RELEASE_KEY = `update clean_arch_runs set holds_key = 0 where id = ?`;
const INSERT_ATTRIBUTES = `
insert into clean_arch_attributes (name, value, run) select key, value, ? from json_each(?)`;

const INSERT_FIRST_ROW = `insert into clean_arch_journal (run, seq, fence, append_id, at, records) values (?, 1, 1, ?, ?, ?)`;

/** Within a transaction that holds the write lock: between the look-up of a key and the insert nobody comes in. */
export function createRun(db: Database, create: CreateRun, now: number): CreateResult {
  const { input, attributes, records } = encodeCreate(create);
  const known = selectRun(db, create.id);
  if (known) return sameRun(db, known, create);
  const holder = create.key === null ? undefined : holderOf(db, create, create.key);
  if (holder) {
    if (!(create.restart === true && mayRestart(holder.status))) return { kind: "existing", run: holder };
    db.run(RELEASE_KEY, [holder.id]);
  }
  const { claim, restart: _, events = [], ...row } = create;
  const owner = claim !== null && isActive(db, claim.worker, now) ? claim : null;
  const run: RunRow = {
    ...row,
    input: JSON.parse(input),
    attributes: attributes === null ? null : JSON.parse(attributes),
    restartedFrom: holder?.id ?? row.restartedFrom,
    output: null,
    status: owner ? "running" : "pending",
    failureReason: null,
    rollbackStatus: "none",
    createdAt: now,
    updatedAt: now,
    endedAt: null,
    wakeAt: owner ? null : now,
    owner: owner?.worker ?? null,
    fence: owner ? 1 : 0,
    seq: owner ? 1 : 0,
  };
  insertRun(db, run, attributes, input);
  if (attributes !== null) db.run(INSERT_ATTRIBUTES, [run.id, attributes]);
  insertAll(db, events, now);
  if (!owner) return { kind: "created", run, row: null };
  db.run(INSERT_FIRST_ROW, [run.id, owner.appendId, now, records]);
  return { kind: "created", run, row: firstRow(db, create) };
}

function holderOf(db: Database, { tenant, definition }: CreateRun, key: string): RunRow | undefined {
  const where = "where tenant = ? and definition = ? and key = ? and holds_key = 1";
  return selectRuns(db, where, [tenant, definition, key])[0];
}

/** In the order of the columns in INSERT_RUN. */
function insertRun(db: Database, run: RunRow, attributes: string | null, input: string): void {
  const what = [run.id, run.tenant, run.type, run.definition, run.version, run.status];
  const whence = [run.rootId, run.parentId, run.restartedFrom, run.key, run.key === null ? 0 : 1, run.inputHash];
  const where = [run.businessKey, attributes, run.sessionId, run.queue, run.partitionKey, run.priority];
  const when = [run.createdAt, run.createdAt, run.wakeAt, run.wakeAt === null ? 0 : 1];
  db.run(INSERT_RUN, [...what, ...whence, ...where, ...when, run.owner, run.fence, input]);
}

/** The reply of the first call was lost and it was sent again, or somebody uses an id twice. */
function sameRun(db: Database, run: RunRow, create: CreateRun): CreateResult {
  const same =
    run.tenant === create.tenant &&
    run.definition === create.definition &&
    run.key === create.key &&
    run.inputHash === create.inputHash;
  if (!same) return { kind: "rejected", reason: `the run id ${create.id} is taken by another run` };
  return { kind: "created", run, row: firstRow(db, create) };
}

function firstRow(db: Database, { id, claim }: CreateRun): JournalRow | null {
  if (claim === null) return null;
  const [row] = selectJournal(db, id, 0, 1);
  return row?.appendId === claim.appendId ? row : null;
}
