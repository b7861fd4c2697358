-- Frees the chunks of the dead in batches that are locked; in one that is closing they are dropped, and the last one ends it.
with gone as materialized (
  select c.run, c.n, w.crashed, b.status = 'closing' as drops
  from :"schema".batches b
  join :"schema".batch_chunks c on c.run = b.run and c.n >= b.low
  join :"schema".workers w on w.id = c.owner and w.dead
  where b.run = any ($1::uuid[])
),
freed as (
  update :"schema".batch_chunks c set
    owner = null,
    under_way = null,
    crashes = c.crashes + g.crashed::int4,
    marked_crashes = case
      when not g.crashed or c.under_way is null then c.marked_crashes
      when c.under_way = c.marked_key then c.marked_crashes + 1
      else 1
    end,
    marked_key = case when g.crashed then coalesce(c.under_way, c.marked_key) else c.marked_key end
  from gone g where not g.drops and c.run = g.run and c.n = g.n
  returning c.run, 0 as dropped
),
dropped as (
  delete from :"schema".batch_chunks c using gone g where g.drops and c.run = g.run and c.n = g.n
  returning c.run, 1 as dropped
),
sums as materialized (
  select run, count(*)::int4 as chunks, sum(dropped)::int4 as dropped
  from (select run, dropped from freed union all select run, dropped from dropped) u group by run
)
update :"schema".batches b set
  owned_chunks = b.owned_chunks - s.chunks,
  open_chunks = b.open_chunks - s.dropped,
  status = case when b.status = 'closing' and b.open_chunks = s.dropped then 'ended' else b.status end,
  ended_at = case when b.status = 'closing' and b.open_chunks = s.dropped then :"schema".now_ms() else b.ended_at end
from sums s where b.run = s.run
