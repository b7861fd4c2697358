-- Gives shards to a new holder, each with a new fence, or to nobody.
update :"schema".event_shards s set member = u.member,
  fence = case when u.member is null then s.fence else greatest(s.fence + 1, :"schema".event_first_fence()) end
from unnest($2::int4[], $3::text[]) as u (shard, member)
where s."group" = $1 and s.shard = u.shard
