-- The first $3 of the line of queue $1 whose definitions and versions are among $2. No join, which could be done first, and sorted after.
select r.id::text, r.priority::float8, r.partition_key as "partitionKey" from :"schema".runs r
where r.in_line and r.queue = $1
  and r.definition || e'\n' || r.version = any ($2::text[])
order by r.priority desc, r.id limit $3
