with gone as (delete from :"schema".event_members where "group" = $1 and id = $2)
update :"schema".event_shards set member = null where "group" = $1 and member = $2
