-- The first $2 items that failed, of a batch that is locked, as one more chunk, whose beginning is $3. Whoever leads knows another number.
with first as (
  select f.run, f.n from :"schema".batches b join :"schema".batch_failures f on f.run = b.run
  where b.run = $1::uuid and b.status in ('open', 'halted')
  order by f.n limit $2::int4
),
taken as (
  delete from :"schema".batch_failures f using first where f.run = first.run and f.n = first.n
  returning f.n, f.key, f.item
),
sums as materialized (
  select count(*)::int4 as items,
    '[' || string_agg('{"key":' || to_json(key)::text || ',"item":' || item || '}', ',' order by n) || ']' as texts
  from taken
),
planted as (
  insert into :"schema".batch_chunks (run, n, size, "from", "to", items)
  select b.run, b.next, s.items, $3, 'null', s.texts from :"schema".batches b, sums s where b.run = $1::uuid and s.items > 0
)
update :"schema".batches b set
  next = b.next + 1,
  open_chunks = b.open_chunks + 1,
  leader = null,
  lead_fence = b.lead_fence + 1,
  failed = b.failed - s.items,
  forgiven_failed = greatest(0, b.forgiven_failed - s.items),
  forgiven_settled = greatest(0, b.forgiven_settled - s.items),
  mark_settled = b.mark_settled - s.items,
  prior_settled = b.prior_settled - s.items,
  updated_at = :"schema".now_ms()
from sums s where b.run = $1::uuid and s.items > 0
returning s.items
