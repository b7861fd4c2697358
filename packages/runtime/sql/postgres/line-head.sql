-- The first $4 of the line of queue $1, whose definitions are among $2, $3.
select r.id::text, r.priority::float8, r.partition_key as "partitionKey" from :"schema".runs r
where r.in_line and r.queue = $1
  and (r.definition, r.version) in (select d.name, d.version from unnest($2::text[], $3::text[]) as d (name, version))
order by r.priority desc, r.id limit $4
