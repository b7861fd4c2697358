-- Rows as in append-rows.sql, and what changes of their runs. Parking looks at the inbox through the run's own row, which it
-- locks: a signal that came first is seen even if it committed while this statement waited. Says whether a place of a queue got free
-- that others wait for.
with clock as materialized (select :"schema".now_ms() as now),
rows as (
  insert into :"schema".journal (run, at, seq, fence, ends, append_id, records)
  select u.run, clock.now, u.seq,
    coalesce(
      (select p.fence from :"schema".journal p where p.run = u.run and p.seq = u.seq - 1 and p.fence = u.fence and not p.ends),
      (select r.fence from :"schema".runs r where u.seq = 1 and r.id = u.run and r.fence = u.fence and r.ended_at is null)
    ), u.ends, u.append_id, u.records
  from clock, unnest($1::uuid[], $2::int4[], $3::int4[], $4::text[], $5::text[], $6::bool[])
    as u (run, seq, fence, append_id, records, ends)
),
changed as (
  update :"schema".runs r set
    updated_at = clock.now,
    status = coalesce(c.status, r.status),
    failure_reason = case when c.sets_failure then c.failure_reason else r.failure_reason end,
    rollback_status = coalesce(c.rollback_status, r.rollback_status),
    output = coalesce(c.output, r.output),
    owner = case when c.ends or (c.parks and r.inbox_open = 0) then null else r.owner end,
    wake_at = case when c.ends then null when c.parks and r.inbox_open = 0 then clock.now + c.delay else r.wake_at end,
    ready = r.ready and not c.ends and not (c.parks and r.inbox_open = 0),
    crashed = r.crashed and not (c.parks and r.inbox_open = 0),
    ended_at = case when c.ends then clock.now end
  from clock, unnest($7::uuid[], $8::text[], $9::bool[], $10::text[], $11::text[], $12::text[], $13::bool[], $14::int8[], $15::bool[])
    as c (run, status, sets_failure, failure_reason, rollback_status, output, parks, delay, ends)
  where r.id = c.run
  returning r.id, r.owner is null and r.ended_at is null as parked,
    r.limited and (r.ended_at is not null or (r.owner is null and r.status in ('stuck', 'paused')))
      and exists (select from :"schema".runs l where l.in_line and l.queue = r.queue) as freed
)
select now::float8, array(select id::text from changed where parked) as parked, exists (select from changed where freed) as freed
from clock
