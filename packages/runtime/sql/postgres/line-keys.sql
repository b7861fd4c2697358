-- Keys of the line of queue $1 that come after $3, up to $4 of them, and of each the first $5 runs whose definitions and versions are among
-- $2; of those that are full ($6) none. A key costs a probe of the index, however many runs have it.
with recursive keys (key, n) as (
  select (select partition_key from :"schema".runs where in_line and queue = $1 and partition_key > $3 order by partition_key limit 1), 1
  union all
  select (select r.partition_key from :"schema".runs r
    where r.in_line and r.queue = $1 and r.partition_key > k.key order by r.partition_key limit 1), k.n + 1
  from keys k where k.key is not null and k.n < $4::int4
)
select k.key, head.id::text, head.priority::float8 from keys k
left join lateral (
  select r.id, r.priority from :"schema".runs r
  where r.in_line and r.queue = $1 and r.partition_key = k.key and k.key <> all ($6::text[])
    and r.definition || e'\n' || r.version = any ($2::text[])
  order by r.priority desc, r.id limit $5
) head on true
where k.key is not null
order by k.n
