-- Who holds the group's shards: null for one that nobody holds, or only someone on the server before this one.
select s.shard::int4, case when s.fence >= :"schema".event_first_fence() then s.member end as member,
  array(select m.id from :"schema".event_members m where m."group" = $1) as members,
  array(select m.id from :"schema".event_members m where m."group" = $1 and not m.leaving) as staying
from :"schema".event_shards s where s."group" = $1 order by s.shard
