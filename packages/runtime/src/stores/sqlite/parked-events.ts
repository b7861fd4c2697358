import { encodeParked } from "../../store/event-codec.js";
import type { ParkedEvent, ParkedPage, ParkedQuery } from "../../store/event-store.js";
import type { Database, SqlValue } from "./database.js";
import { recordHandled } from "./handled-events.js";

interface Row {
  readonly n: number;
  readonly group: string;
  readonly id: string;
  readonly subject: string;
  readonly key: string;
  readonly body: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly parkedAt: number;
}

const INSERT = `
insert into clean_arch_parked_events (reader, id, subject, key, body, code, message, attempts, parked_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (reader, id) do nothing`;

/** Within a transaction. */
export function park(db: Database, parked: ParkedEvent, now: number): void {
  const { group, event, error, attempts } = encodeParked(parked);
  const what = [group, event.id, event.subject, event.key, event.body];
  db.run(INSERT, [...what, error.code, error.message, attempts, now]);
  recordHandled(db, group, event.id, now);
}

export function listParked(db: Database, { group, limit }: ParkedQuery, before: number | null): ParkedPage {
  const of = group === undefined ? "" : "and reader = ?";
  const params = [before ?? Number.MAX_SAFE_INTEGER, ...(group === undefined ? [] : [group]), limit + 1];
  const rows = select(db, `where n < ? ${of} order by n desc limit ?`, params);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? String(last.n) : null;
  return { items: page.map(parkedOf), nextCursor };
}

export function selectParked(db: Database, group: string, eventId: string): ParkedEvent | undefined {
  return select(db, "where reader = ? and id = ?", [group, eventId]).map(parkedOf)[0];
}

function select(db: Database, rest: string, params: readonly SqlValue[]): Row[] {
  const columns = `n, reader as "group", id, subject, key, body, code, message, attempts, parked_at as "parkedAt"`;
  return db.all<Row>(`select ${columns} from clean_arch_parked_events ${rest}`, params);
}

function parkedOf({ group, id, subject, key, body, code, message, attempts, parkedAt }: Row): ParkedEvent {
  return { group, event: { id, subject, key, body }, error: { code, message }, attempts, parkedAt };
}

/** Within a transaction. */
export function unpark(db: Database, group: string, eventId: string, again: boolean): boolean {
  const { changes } = db.run("delete from clean_arch_parked_events where reader = ? and id = ?", [group, eventId]);
  if (changes > 0 && again)
    db.run("delete from clean_arch_handled_events where reader = ? and event = ?", [group, eventId]);
  return changes > 0;
}
