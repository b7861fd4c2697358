import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { checkEvents, refusalOf } from "../../store/event-codec.js";
import { shardOf } from "../../store/event-shard.js";
import { type PutResult, SHARDS, type StoredEvent } from "../../store/event-store.js";
import type { Database } from "./database.js";

const INSERT = `
insert into clean_arch_outbox (id, shard, subject, key, body, stored_at) values (?, ?, ?, ?, ?, ?)
on conflict (id) do nothing`;

const READ = `
select position, id, subject, key, body, stored_at as "storedAt" from clean_arch_outbox
where shard = ? and position > ? order by position limit ?`;

/** Within a transaction. */
export function put(db: Database, event: EventMessage, now: number): PutResult {
  const reason = refusalOf(event);
  return reason === undefined ? insert(db, event, now) : { kind: "rejected", reason };
}

/** Within a transaction, events that can be stored. */
export function insertAll(db: Database, events: readonly EventMessage[], now: number): void {
  for (const event of events) insert(db, event, now);
}

function insert(db: SqliteClient, { id, subject, key, body }: EventMessage, now: number): PutResult {
  const { changes } = db.run(INSERT, [id, shardOf(key), subject, key, body, now]);
  return { kind: changes === 0 ? "duplicate" : "stored" };
}

/** What is needed of a client: it runs a statement within a transaction on the store's file, on whichever connection. */
type SqliteClient = Pick<Database, "run">;

/** Errors: those of `checkEvent`; `input-invalid` for what is no client of a transaction. */
export function putWithin(client: unknown, events: readonly EventMessage[], now: number): void {
  const db = client as Partial<SqliteClient> | null;
  if (typeof db?.run !== "function") {
    const message =
      "expected the client of a transaction of an SQLite store, got something else; give it `client` of what `begin` gave, or `{ run(sql, parameters) }` of a connection of your own";
    throw new RuntimeError("input-invalid", message);
  }
  for (const event of checkEvents(events)) insert(db as SqliteClient, event, now);
}

export function read(db: Database, shard: number, after: number | null, limit: number): StoredEvent[] {
  return db
    .all<EventMessage & { position: number; storedAt: number }>(READ, [shard, after ?? 0, limit])
    .map(({ position, storedAt, ...event }) => ({ position: String(position), event, storedAt }));
}

const DONE = `select min(coalesce(position, 0)) as position from clean_arch_event_shards where shard = ?`;

/** Reads as many of the oldest rows as it may delete, however many are kept longer behind them. */
const DELETE = `
delete from clean_arch_outbox where stored_at < ? and position in
  (select position from clean_arch_outbox where shard = ? and position <= ? order by position limit ?)`;

/** Within a transaction. */
export function pruneOutbox(db: Database, storedBefore: number, limit: number): number {
  let left = limit;
  for (let shard = 0; shard < SHARDS && left > 0; shard += 1) {
    const [done] = db.all<{ position: number | null }>(DONE, [shard]);
    const upTo = done?.position ?? Number.MAX_SAFE_INTEGER;
    left -= db.run(DELETE, [storedBefore, shard, upTo, left]).changes;
  }
  return limit - left;
}
