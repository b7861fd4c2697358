-- Where the data came from another server, as a dump does, places may lie above all transactions of this one: nobody would ever read such events,
-- and new ones would come before what groups have done with. All get a place of this server, in the order that they have.
with own as materialized (
  select :"schema".event_place() as place,
    greatest(
      (select max(s.place) from :"schema".event_shards s),
      (select max(newest.place) from generate_series(0, 15) as s (shard) cross join lateral (
        select e.place from :"schema".events e where e.shard = s.shard order by e.place desc, e.n desc limit 1
      ) newest)
    ) >= pg_snapshot_xmax(pg_current_snapshot())::text::int8 as restored
),
ordered as materialized (
  select o.shard, o.place, o.n, nextval($n$:"schema".event_n$n$) as new_n
  from (
    select e.shard, e.place, e.n from own, :"schema".events e where own.restored order by e.shard, e.place, e.n
  ) o
),
moved as (
  update :"schema".events e set place = own.place, n = o.new_n
  from own, ordered o where e.shard = o.shard and e.place = o.place and e.n = o.n
)
update :"schema".event_shards s
set place = case when done.n is null then 0 else own.place end, n = coalesce(done.n, 0)
from own, :"schema".event_shards same cross join lateral (
  select max(o.new_n) as n from ordered o where o.shard = same.shard and (o.place, o.n) <= (same.place, same.n)
) done
where own.restored and same."group" = s."group" and same.shard = s.shard
