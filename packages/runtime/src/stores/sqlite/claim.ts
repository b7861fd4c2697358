import type { ClaimedRun, ClaimRequest } from "../../store/run-store.js";
import type { Database } from "./database.js";
import { isActive } from "./leases.js";
import { admitted } from "./queues.js";
import { selectClaimed } from "./run-rows.js";

const WAKE = `
update clean_arch_runs set ready = not (limited = 1 and fence = 0), in_line = (limited = 1 and fence = 0)
where ready = 0 and in_line = 0 and wake_at <= ?`;

const DUE = `
select id, fence, crashed, priority from clean_arch_runs
where ready = 1
  and (definition, version) in (select json_extract(value, '$.name'), json_extract(value, '$.version') from json_each(?))
order by priority desc, id limit ?`;

const TAKE = `
update clean_arch_runs set owner = ?, ready = 0, in_line = 0, wake_at = null, updated_at = ?,
  begun_at = case when fence = 0 and (limited = 1 or start_at is not null) then ? else begun_at end, fence = fence + 1,
  status = case when status in ('pending', 'waiting') then 'running' else status end
where id = ?`;

const INSERT_CLAIMED = `
insert into clean_arch_journal (run, seq, fence, append_id, at, records)
values (?, 1 + coalesce((select max(j.seq) from clean_arch_journal j where j.run = ?), 0), ?, ?, ?, ?)`;

interface Due {
  readonly id: string;
  readonly fence: number;
  readonly crashed: number;
  readonly priority: number;
}

/** Within a transaction. The journal is read after the `claimed` row was inserted, so nothing can come before it any more. */
export function claim(db: Database, request: ClaimRequest, now: number): ClaimedRun[] {
  const { worker, definitions, limit } = request;
  if (!isActive(db, worker, now)) return [];
  db.run(WAKE, [now]);
  const ready = db.all<Due>(DUE, [JSON.stringify(definitions), limit]);
  const fromLines = admitted(db, request, now).map((run): Due => ({ ...run, fence: 0, crashed: 0 }));
  const due = fromLines.length === 0 ? ready : inOrder([...ready, ...fromLines]).slice(0, limit);
  return due.map(({ id, fence, crashed }) => {
    db.run(TAKE, [worker, now, now, id]);
    if (fence > 0) {
      const record = { kind: "claimed", worker, ...(crashed === 1 && { crashed: true }) };
      db.run(INSERT_CLAIMED, [id, id, fence + 1, `claim:${fence + 1}`, now, JSON.stringify([record])]);
    }
    return selectClaimed(db, id);
  });
}

function inOrder(due: readonly Due[]): Due[] {
  return [...due].sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
}
