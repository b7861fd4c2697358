select s.shard::int4, s.fence::float8, s.place::text, s.n::text, s.note from :"schema".event_shards s
where s."group" = $1 and s.member = $2 order by s.shard
