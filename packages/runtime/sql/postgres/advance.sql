-- Those that are not returned: somebody else holds the shard, or its holder held it on another server. Locked in one order by all.
with held as (
  select s."group", s.shard, u.place, u.n, u.note
  from unnest($1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int8[], $6::text[]) as u ("group", shard, fence, place, n, note)
  join :"schema".event_shards s on s."group" = u."group" and s.shard = u.shard
    and s.fence = u.fence and s.fence >= :"schema".event_first_fence()
  order by s."group", s.shard for update of s
)
update :"schema".event_shards s set place = h.place, n = h.n, note = h.note
from held h where s."group" = h."group" and s.shard = h.shard
returning s."group", s.shard
