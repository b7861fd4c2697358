-- As append-changes.sql, for one row: what a run alone waits for.
with clock as materialized (select :"schema".now_ms() as now),
rows as (
  insert into :"schema".journal (run, at, seq, fence, ends, append_id, records)
  select $1::uuid, clock.now, $2::int4,
    coalesce(
      (select p.fence from :"schema".journal p where p.run = $1 and p.seq = $2 - 1 and p.fence = $3::int4 and not p.ends),
      (select r.fence from :"schema".runs r where $2 = 1 and r.id = $1 and r.fence = $3 and r.ended_at is null)
    ), $6::bool, $4::text, $5::text
  from clock
),
changed as (
  update :"schema".runs r set
    updated_at = clock.now,
    status = coalesce($7::text, r.status),
    failure_reason = case when $8::bool then $9::text else r.failure_reason end,
    rollback_status = coalesce($10::text, r.rollback_status),
    output = coalesce($11::text, r.output),
    owner = case when $6 or ($12::bool and r.inbox_open = 0) then null else r.owner end,
    wake_at = case when $6 then null when $12 and r.inbox_open = 0 then clock.now + $13::int8 else r.wake_at end,
    ready = r.ready and not $6 and not ($12 and r.inbox_open = 0),
    crashed = r.crashed and not ($12 and r.inbox_open = 0),
    ended_at = case when $6 then clock.now end
  from clock
  where r.id = $1
  returning r.owner is null and r.ended_at is null as parked,
    r.limited and (r.ended_at is not null or (r.owner is null and r.status in ('stuck', 'paused')))
      and exists (select from :"schema".runs l where l.in_line and l.queue = r.queue) as freed
)
select now::float8, coalesce((select parked from changed), false) as parked, coalesce((select freed from changed), false) as freed
from clock
