with gone as (delete from :"schema".event_members where "group" = $1),
done as (
  update :"schema".event_shards set member = null, fence = fence + 1, place = 0, n = 0, note = null where "group" = $1
)
update :"schema".event_groups set forgotten = true where name = $1
