import type { ClaimedRun, ClaimRequest } from "../../store/run-store.js";
import type { Database } from "./database.js";
import { isActive } from "./leases.js";
import { selectClaimed } from "./run-rows.js";

const WAKE = `update clean_arch_runs set ready = 1 where ready = 0 and wake_at <= ?`;

const DUE = `
select id, fence, crashed from clean_arch_runs
where ready = 1
  and (definition, version) in (select json_extract(value, '$.name'), json_extract(value, '$.version') from json_each(?))
order by priority desc, id limit ?`;

const TAKE = `
update clean_arch_runs set owner = ?, fence = fence + 1, ready = 0, wake_at = null, updated_at = ?,
  status = case when status in ('pending', 'waiting') then 'running' else status end
where id = ?`;

const INSERT_CLAIMED = `
insert into clean_arch_journal (run, seq, fence, append_id, at, records)
values (?, 1 + coalesce((select max(j.seq) from clean_arch_journal j where j.run = ?), 0), ?, ?, ?, ?)`;

/** Within a transaction. The journal is read after the `claimed` row was inserted, so nothing can come before it any more. */
export function claim(db: Database, { worker, definitions, limit }: ClaimRequest, now: number): ClaimedRun[] {
  if (!isActive(db, worker, now)) return [];
  db.run(WAKE, [now]);
  const due = db.all<{ id: string; fence: number; crashed: number }>(DUE, [JSON.stringify(definitions), limit]);
  return due.map(({ id, fence, crashed }) => {
    db.run(TAKE, [worker, now, id]);
    if (fence > 0) {
      const record = { kind: "claimed", worker, ...(crashed === 1 && { crashed: true }) };
      db.run(INSERT_CLAIMED, [id, id, fence + 1, `claim:${fence + 1}`, now, JSON.stringify([record])]);
    }
    return selectClaimed(db, id);
  });
}
