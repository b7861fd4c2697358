import type { Database } from "./database.js";

const INSERT = `
insert into clean_arch_handled_events (reader, event, handled_at) values (?, ?, ?)
on conflict (reader, event) do nothing`;

export function isHandled(db: Database, group: string, eventId: string): boolean {
  const sql = "select 1 from clean_arch_handled_events where reader = ? and event = ?";
  return db.all(sql, [group, eventId]).length > 0;
}

/** Within a transaction. False: it was handled before. */
export function recordHandled(db: Database, group: string, eventId: string, now: number): boolean {
  return db.run(INSERT, [group, eventId, now]).changes > 0;
}

const PRUNE = `
delete from clean_arch_handled_events where (reader, event) in
  (select reader, event from clean_arch_handled_events where handled_at < ? order by handled_at limit ?)`;

export function pruneHandled(db: Database, handledBefore: number, limit: number): number {
  return db.run(PRUNE, [handledBefore, limit]).changes;
}
