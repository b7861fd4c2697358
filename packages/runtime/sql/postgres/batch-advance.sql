-- Settles chunks ($3 numbers, $4 fences, $5 done, $6 skipped, $7 failed; $8 to $12 the items that failed, by the chunk's number) and gives up
-- to $13 to the worker $2, which goes on with those of $14.
with clock as materialized (select :"schema".now_ms() as now),
held as materialized (
  select b.*, clock.now, r.status in ('running', 'waiting')
    and exists (select from :"schema".workers w where w.id = $2 and not w.dead and w.expires_at > clock.now) as goes
  from clock, :"schema".batches b join :"schema".runs r on r.id = b.run
  where b.run = $1::uuid for update of b
),
settled as (
  delete from :"schema".batch_chunks c
  using held h, unnest($3::int4[], $4::int4[], $5::int4[], $6::int4[], $7::int4[]) as s (n, fence, done, skipped, failed)
  where c.run = h.run and c.n = s.n and c.fence = s.fence and c.fence > 0
  returning c.n, c.owner is not null as owned, s.done, s.skipped, s.failed
),
kept as (
  insert into :"schema".batch_failures (run, at, attempts, key, item, error)
  select h.run, h.now, f.attempts, f.key, f.item, f.error
  from held h, settled s
  join unnest($8::int4[], $9::text[], $10::text[], $11::int4[], $12::text[]) with ordinality
    as f (n, key, item, attempts, error, i) on f.n = s.n
  order by f.i
),
-- Given by a reply that was lost: nobody would ever settle it.
dropped as (
  delete from :"schema".batch_chunks c using held h
  where h.status = 'closing' and c.run = h.run and c.n >= h.low and c.owner = $2 and c.n <> all ($14::int4[]) and c.n <> all ($3)
  returning c.n
),
counted as materialized (
  select h.*, s.chunks > 0 as settles, s.chunks + d.chunks > 0 as changes,
    h.open_chunks - s.chunks - d.chunks as open_now,
    h.owned_chunks - s.owned - d.chunks as owned_now,
    h.done + s.done as done_now, h.skipped + s.skipped as skipped_now, h.failed + s.failed as failed_now,
    h.done + h.skipped + h.failed + s.done + s.skipped + s.failed as settled_now
  from held h,
    (
      select count(*)::int4 as chunks, (count(*) filter (where owned))::int4 as owned, coalesce(sum(done), 0) as done,
        coalesce(sum(skipped), 0) as skipped, coalesce(sum(failed), 0) as failed
      from settled
    ) s,
    (select count(*)::int4 as chunks from dropped) d
),
judged as materialized (
  select c.*, l.is_last, r.failed as failed_since, r.settled as settled_since,
    case
      when c.status = 'open' and c.settles and (
        coalesce(r.failed > c.max_failures, false)
        or coalesce((r.settled >= 100 or l.is_last) and r.failed::float8 / nullif(r.settled, 0) > c.max_failure_ratio, false)
      ) then 'halted'
      when l.is_last then 'ended'
      else c.status
    end as status_now
  from counted c
  cross join lateral (
    select c.failed_now - c.forgiven_failed as failed, c.settled_now - c.forgiven_settled as settled
  ) r
  cross join lateral (
    select c.open_now = 0 and (c.status = 'closing' or (c.status = 'open' and c.is_end)) as is_last
  ) l
),
gives as materialized (
  select j.*, coalesce(j.rate_window_ms::float8 / j.rate_max, 0) as pace,
    -- A little late counts as punctual.
    case when j.now - j.next_at > 50 then j.now else j.next_at end as base
  from judged j where j.goes and j.status_now = 'open' and $13::int4 > 0
),
-- Given by a reply that was lost.
mine as materialized (
  select c.n, c.fence, c.size, c."from", c."to", c.items, c.crashes, c.marked_key, c.marked_crashes
  from gives g join :"schema".batch_chunks c on c.run = g.run and c.n >= g.low
  where g.owned_now > cardinality($14) and c.owner = $2 and c.n <> all ($14) and c.n not in (select n from settled)
  order by c.n limit $13
),
room as materialized (
  select g.low, greatest(0, least($13 - (select count(*) from mine), g.concurrency - g.owned_now)) as chunks from gives g
),
free as materialized (
  select c.n, c.size from :"schema".batch_chunks c
  where c.run = $1::uuid and c.n >= (select low from room) and c.owner is null
  -- What others took meanwhile is passed over.
  order by c.n limit (select chunks from room) for update
),
allowed as materialized (
  select f.n, f.size from gives g, (select n, size, sum(size) over (order by n) - size as before from free) f
  where g.pace = 0 or g.base + f.before * g.pace <= g.now
),
given as (
  update :"schema".batch_chunks c set owner = $2, fence = c.fence + 1
  from allowed a where c.run = $1::uuid and c.n = a.n
  returning c.n, c.fence, c.size, c."from", c."to", c.items, c.crashes, c.marked_key, c.marked_crashes
),
begun as materialized (select count(*)::int4 as chunks, coalesce(sum(size), 0) as items from given),
changed as (
  update :"schema".batches b set
    updated_at = j.now,
    open_chunks = j.open_now,
    owned_chunks = j.owned_now + s.chunks,
    done = j.done_now,
    skipped = j.skipped_now,
    failed = j.failed_now,
    status = j.status_now,
    ended_at = case when j.status_now = 'ended' and j.status <> 'ended' then j.now else j.ended_at end,
    halted_failed = case when j.status_now = 'halted' and j.status = 'open' then j.failed_since else j.halted_failed end,
    halted_settled = case when j.status_now = 'halted' and j.status = 'open' then j.settled_since else j.halted_settled end,
    next_at = case when s.chunks > 0 and g.pace > 0 then g.base + s.items * g.pace else j.next_at end,
    mark_at = case when m.moves then j.now else j.mark_at end,
    mark_settled = case when m.moves then j.settled_now else j.mark_settled end,
    prior_at = case when m.moves then j.mark_at else j.prior_at end,
    prior_settled = case when m.moves then j.mark_settled else j.prior_settled end
  from judged j
  cross join begun s
  cross join lateral (select j.settles and j.now - j.mark_at >= 15000 as moves) m
  left join gives g on true
  where b.run = j.run and (j.changes or s.chunks > 0)
)
select j.status_now as status, array(select n from settled) as settled, g.pace,
  case
    when (select count(*) from free) > s.chunks then ceil(g.base + s.items * g.pace - g.now)
  end as wait,
  t.*
from judged j
cross join begun s
left join gives g on true
left join (select 0 as place, * from mine union all select 1, * from given) t on true
order by t.place, t.n
