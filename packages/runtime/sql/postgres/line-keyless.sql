-- As line-head.sql, of runs without a key.
select r.id::text, r.priority::float8, null as "partitionKey" from :"schema".runs r
where r.in_line and r.queue = $1 and r.partition_key is null
  and r.definition || e'\n' || r.version = any ($2::text[])
order by r.priority desc, r.id limit $3
