import { encodeSignal } from "../../store/run-codec.js";
import { MAX_UNREAD, type Signal, type SignalResult } from "../../store/run-store.js";
import type { Database } from "./database.js";

const KNOWN = `
select ended_at as "endedAt", exists (select 1 from clean_arch_inbox where run = clean_arch_runs.id and clean_arch_inbox.id = ?) as received
from clean_arch_runs where clean_arch_runs.id = ?`;

const UNREAD = `select count(*) as unread from clean_arch_inbox where run = ? and consumed = 0`;

const INSERT = `
insert into clean_arch_inbox (run, id, kind, name, actor, at, n, payload)
select id, ?, ?, ?, ?, ?, 1 + (select count(*) from clean_arch_inbox i where i.run = clean_arch_runs.id), ?
from clean_arch_runs where id = ? and ended_at is null
on conflict (run, id) do nothing`;

/** An owned run needs no waking: its owner reads its inbox with every renewal. One that has not begun waits for its time and its place. */
const WAKE = `
update clean_arch_runs set ready = 1, wake_at = min(coalesce(wake_at, ?), ?) where id = ? and owner is null and status <> 'pending'`;

/** Of an operator: he need not wait, and what is started after it is another run's. */
const CALL = `
update clean_arch_runs set ready = 1, in_line = 0, wake_at = min(wake_at, ?), debounce_key = null where id = ? and status = 'pending'`;

/** Within a transaction. */
export function signal(db: Database, element: Signal, now: number): SignalResult {
  const payload = encodeSignal(element);
  const { run, id } = element;
  const [known] = db.all<{ endedAt: number | null; received: number }>(KNOWN, [id, run]);
  if (!known) return "not-found";
  if (known.received === 1) return "duplicate";
  if (known.endedAt !== null) return "ended";
  const [counted] = db.all<{ unread: number }>(UNREAD, [run]);
  if ((counted?.unread ?? 0) >= MAX_UNREAD) return "full";
  deliver(db, element, payload, now);
  return "accepted";
}

/** Within a transaction. Into the inbox of a run that has not ended, unless it is there already; the run is woken. */
export function deliver(db: Database, { run, id, kind, name, actor }: Signal, payload: string, now: number): void {
  const { changes } = db.run(INSERT, [id, kind, name, actor, now, payload, run]);
  if (changes === 0) return;
  db.run(WAKE, [now, now, run]);
  if (kind === "verb") db.run(CALL, [now, run]);
}
