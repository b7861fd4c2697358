-- As put-events.sql, and a hint that is heard when the transaction commits.
with put as (
  insert into :"schema".events (place, n, at, shard, id, subject, key, body)
  select :"schema".event_place(), u.n, :"schema".now_ms(), u.shard, u.id, u.subject, u.key, u.body
  from (
    select e.*, nextval($n$:"schema".event_n$n$) as n
    from unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[]) as e (shard, id, subject, key, body)
  ) u
  order by u.id collate "C"
  on conflict (id) do nothing
)
select pg_notify($6, $7)
