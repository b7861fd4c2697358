-- Chunks behind the last one, if the fence $2 is the newest and $3 the next number; the first of them for the worker $12, as many as it
-- asks for ($11), as there is room for and as the rate allows. One that is sent again finds another next number.
with clock as materialized (select :"schema".now_ms() as now),
held as materialized (
  select b.*, clock.now, r.status in ('running', 'waiting') as goes,
    exists (select from :"schema".workers w where w.id = $12 and not w.dead and w.expires_at > clock.now) as active
  from clock, :"schema".batches b join :"schema".runs r on r.id = b.run
  where b.run = $1::uuid for update of b
),
judged as materialized (
  select h.*,
    case
      when h.lead_fence <> $2::int4 or h.next < $3::int4 then 'lost'
      when h.next > $3 or (h.is_end and cardinality($6::int4[]) = 0) then 'sent before'
      when h.is_end or h.status <> 'open' or not h.goes then 'stopped'
      else 'planted'
    end as kind,
    case when h.active then least($11::int4, h.concurrency - h.owned_chunks) else 0 end as room,
    coalesce(h.rate_window_ms::float8 / h.rate_max, 0) as pace,
    -- A little late counts as punctual.
    case when h.now - h.next_at > 50 then h.now else h.next_at end as base
  from held h
),
spans as materialized (
  select u.*, sum(u.size) over (order by u.i) - u.size as before
  from unnest($4::text[], $5::text[], $6::int4[], $7::text[]) with ordinality as u ("from", "to", size, items, i)
),
planted as (
  insert into :"schema".batch_chunks (run, n, size, fence, owner, "from", "to", items)
  select j.run, $3 + s.i - 1, s.size, case when t.taken then 1 else 0 end, case when t.taken then $12 end, s."from", s."to", s.items
  from judged j cross join spans s
  cross join lateral (
    select s.i <= j.room and (j.pace = 0 or j.base + s.before * j.pace <= j.now) as taken
  ) t
  where j.kind = 'planted'
  returning size, fence = 1 as taken
),
sums as materialized (
  select count(*)::int4 as chunks, coalesce(sum(size), 0) as items, (count(*) filter (where taken))::int4 as taken,
    coalesce(sum(size) filter (where taken), 0) as taken_items
  from planted
),
ended as materialized (
  select j.run, j.failed - j.forgiven_failed as failed, s.settled - j.forgiven_settled as settled,
    (j.failed - j.forgiven_failed)::float8 / nullif(s.settled - j.forgiven_settled, 0) > j.max_failure_ratio as over
  from judged j cross join lateral (select j.done + j.failed + j.skipped as settled) s, sums
  where j.kind = 'planted' and $9::bool and j.open_chunks + sums.chunks = 0
),
changed as (
  update :"schema".batches b set
    updated_at = j.now,
    planted = j.planted + s.items,
    open_chunks = j.open_chunks + s.chunks,
    owned_chunks = j.owned_chunks + s.taken,
    next = $3 + s.chunks,
    -- All planted before are seen, for their leader was answered.
    low = coalesce(
      (select c.n from :"schema".batch_chunks c where c.run = $1::uuid and c.n >= j.low order by c.n limit 1),
      $3
    ),
    next_at = case when s.taken > 0 and j.pace > 0 then j.base + s.taken_items * j.pace else j.next_at end,
    cursor = $8,
    is_end = $9,
    total = coalesce($10::int8, j.total),
    status = case when e.run is null then j.status when e.over then 'halted' else 'ended' end,
    ended_at = case when e.run is not null and e.over is not true then j.now end,
    halted_failed = case when e.over then e.failed end,
    halted_settled = case when e.over then e.settled end
  from judged j cross join sums s left join ended e on true
  where b.run = j.run and j.kind = 'planted'
)
select j.kind, s.taken, j.pace from judged j, sums s
