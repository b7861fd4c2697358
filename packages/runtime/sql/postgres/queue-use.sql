-- What is taken of queue $1: places by key, if $4, and starts within the window of its rate, of $2 ms, up to $3 of them (null: it has none).
with clock as materialized (select :"schema".now_ms() as now),
held as (
  select r.partition_key, count(*)::int4 as runs from :"schema".runs r
  where $4::bool and r.limited and r.fence > 0 and r.ended_at is null and (r.owner is not null or r.status not in ('stuck', 'paused'))
    and r.queue = $1::text
  group by r.partition_key
),
begun as (
  select r.begun_at from clock, :"schema".runs r
  where r.limited and r.begun_at is not null and r.queue = $1 and r.begun_at > clock.now - $2::int8
  order by r.begun_at desc limit coalesce($3::int4, 0)
)
select clock.now::float8, array(select partition_key from held order by partition_key) as keys,
  array(select runs from held order by partition_key) as runs,
  (select count(*) from begun)::int4 as begun, (select min(begun_at) from begun)::float8 as "firstBegunAt"
from clock
