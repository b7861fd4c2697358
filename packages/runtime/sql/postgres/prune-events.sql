-- From the beginning of each shard, in its order, as far as all groups are: times follow that order but for a few, so nothing is
-- looked at behind the first ones.
delete from :"schema".events e
where e.ctid = any (array(
  select first.place_on_disk
  from generate_series(0, 15) as s (shard)
  left join lateral (
    select d.place, d.n from :"schema".event_shards d join :"schema".event_groups g on g.name = d."group"
    where d.shard = s.shard and not g.forgotten order by d.place, d.n limit 1
  ) done on true
  cross join lateral (
    select o.ctid as place_on_disk, o.place, o.n, o.at from :"schema".events o
    where o.shard = s.shard
      and $1::int8 > (select oldest.at from :"schema".events oldest where oldest.shard = s.shard order by oldest.place, oldest.n limit 1)
    order by o.place, o.n limit $2
  ) first
  where first.at < $1 and (done.place is null or (first.place, first.n) <= (done.place, done.n))
  limit $2
))
returning 1 as deleted
