-- What each group has to read; at most 10,000 events of a shard are counted.
select g.name as "group",
  (select count(*)::int4 from :"schema".event_members m where m."group" = g.name and m.expires_at > :"schema".now_ms()) as members,
  sum(w.waiting)::int4 as waiting, min(w.oldest_at)::float8 as "oldestAt"
from :"schema".event_groups g join :"schema".event_shards s on s."group" = g.name
cross join lateral (
  select
    (select count(*) from (
      select from :"schema".events e where e.shard = s.shard and (e.place, e.n) > (s.place, s.n)
      order by e.place, e.n limit 10000
    ) counted) as waiting,
    (select e.at from :"schema".events e where e.shard = s.shard and (e.place, e.n) > (s.place, s.n)
     order by e.place, e.n limit 1) as oldest_at
) w
where not g.forgotten
group by g.name order by g.name
