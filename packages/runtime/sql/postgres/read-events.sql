-- Events of shards, each behind a position, below the horizon.
select w.i::int4, e.place::text, e.n::text, e.at::float8, e.id, e.subject, e.key, e.body
from unnest($1::int4[], $2::int8[], $3::int8[], $4::int4[]) with ordinality as w (shard, place, n, most, i)
cross join lateral (
  select * from :"schema".events o
  where o.shard = w.shard and (o.place, o.n) > (w.place, w.n) and o.place < :"schema".event_horizon()
  order by o.place, o.n limit w.most
) e
order by w.i, e.place, e.n
