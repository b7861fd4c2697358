import { encodeSignal } from "../../store/run-codec.js";
import type { Signal, SignalResult } from "../../store/run-store.js";
import type { Database } from "./database.js";

const KNOWN = `
select ended_at as "endedAt", exists (select 1 from clean_arch_inbox where run = clean_arch_runs.id and clean_arch_inbox.id = ?) as received
from clean_arch_runs where clean_arch_runs.id = ?`;

const INSERT = `
insert into clean_arch_inbox (run, id, kind, name, actor, at, n, payload)
values (?, ?, ?, ?, ?, ?, 1 + (select count(*) from clean_arch_inbox where run = ?), ?)`;

/** An owned run needs no waking: its owner reads its inbox with every renewal. */
const WAKE = `update clean_arch_runs set ready = 1, wake_at = min(coalesce(wake_at, ?), ?) where id = ? and owner is null`;

/** Within a transaction. */
export function signal(db: Database, element: Signal, now: number): SignalResult {
  const payload = encodeSignal(element);
  const { run, id, kind, name, actor } = element;
  const [known] = db.all<{ endedAt: number | null; received: number }>(KNOWN, [id, run]);
  if (!known) return "not-found";
  if (known.received === 1) return "duplicate";
  if (known.endedAt !== null) return "ended";
  db.run(INSERT, [run, id, kind, name, actor, now, run, payload]);
  db.run(WAKE, [now, now, run]);
  return "accepted";
}
