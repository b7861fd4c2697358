-- As append-changes.sql, with inbox entries consumed and snapshots written.
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
consumed as (
  update :"schema".inbox i set consumed = true
  from unnest($16::uuid[], $17::text[]) as x (run, id)
  where i.run = x.run and i.id = x.id and not i.consumed
  returning i.run
),
changed as (
  update :"schema".runs r set
    updated_at = clock.now,
    status = coalesce(c.status, r.status),
    failure_reason = case when c.sets_failure then c.failure_reason else r.failure_reason end,
    rollback_status = coalesce(c.rollback_status, r.rollback_status),
    output = coalesce(c.output, r.output),
    inbox_open = r.inbox_open - (select count(*) from consumed where consumed.run = c.run),
    owner = case
      when c.ends or (c.parks and r.inbox_open = (select count(*) from consumed where consumed.run = c.run)) then null
      else r.owner
    end,
    wake_at = case
      when c.ends then null
      when c.parks and r.inbox_open = (select count(*) from consumed where consumed.run = c.run) then clock.now + c.delay
      else r.wake_at
    end,
    ready = r.ready and not c.ends
      and not (c.parks and r.inbox_open = (select count(*) from consumed where consumed.run = c.run)),
    crashed = r.crashed
      and not (c.parks and r.inbox_open = (select count(*) from consumed where consumed.run = c.run)),
    ended_at = case when c.ends then clock.now end
  from clock, unnest($7::uuid[], $8::text[], $9::bool[], $10::text[], $11::text[], $12::text[], $13::bool[], $14::int8[], $15::bool[])
    as c (run, status, sets_failure, failure_reason, rollback_status, output, parks, delay, ends)
  where r.id = c.run
  returning r.id, r.owner is null and r.ended_at is null as parked,
    r.limited and (r.ended_at is not null or (r.owner is null and r.status in ('stuck', 'paused')))
      and exists (select from :"schema".runs l where l.in_line and l.queue = r.queue) as freed
),
snapshots as (
  insert into :"schema".checkpoints (run, at, fence, n, seq, context)
  select s.run, clock.now, s.fence, s.n, s.seq, s.context
  from clock, unnest($18::uuid[], $19::int4[], $20::int4[], $21::int4[], $22::text[]) as s (run, fence, n, seq, context)
  on conflict (run, fence, n) do update set at = excluded.at, seq = excluded.seq, context = excluded.context
),
forgotten as (
  -- The snapshot of this very statement is not visible here: one less is kept of the older ones.
  delete from :"schema".checkpoints k using unnest($18::uuid[], $19::int4[], $20::int4[], $23::int4[]) as s (run, fence, n, keep)
  where k.run = s.run and (k.fence, k.n) <> (s.fence, s.n) and (k.fence, k.n) not in (
    select o.fence, o.n from :"schema".checkpoints o
    where o.run = s.run and (o.fence, o.n) <> (s.fence, s.n)
    order by o.fence desc, o.n desc limit s.keep - 1
  )
)
select now::float8, array(select id::text from changed where parked) as parked, exists (select from changed where freed) as freed
from clock
