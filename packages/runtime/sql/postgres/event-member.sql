-- Registers the member or extends its lease, makes the group's shards where they are missing, and drops members whose lease ran out. After a
-- start of the server all leases look expired: none is before it has been up for the length of it.
with clock as materialized (select :"schema".now_ms() as now),
shards as (
  insert into :"schema".event_shards ("group", shard) select $1::text, s from generate_series(0, 15) s
  on conflict ("group", shard) do nothing
),
gone as (
  delete from :"schema".event_members m using clock
  where m."group" = $1 and m.id <> $2 and m.expires_at <= clock.now
    and clock.now >= floor(extract(epoch from pg_postmaster_start_time()) * 1000)::int8 + m.lease_ms
)
insert into :"schema".event_members as m ("group", id, expires_at, lease_ms, leaving)
select $1, $2::text, clock.now + $3::int8, $3, $4::bool from clock
on conflict ("group", id) do update
  set expires_at = excluded.expires_at, lease_ms = excluded.lease_ms, leaving = m.leaving or excluded.leaving
