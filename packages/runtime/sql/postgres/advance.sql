-- No row: somebody else holds the shard, or its holder held it on another server.
update :"schema".event_shards set place = $4::int8, n = $5::int8, note = $6
where "group" = $1 and shard = $2 and fence = $3::int8 and fence >= :"schema".event_first_fence()
returning shard
