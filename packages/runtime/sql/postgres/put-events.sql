-- Events for the outbox. n follows the order given; rows are written in the order of ids, or two writers of the same ones could wait
-- for each other. One whose id is there is left out; when another transaction has yet to commit it, this one waits.
insert into :"schema".events (place, n, at, shard, id, subject, key, body)
select :"schema".event_place(), u.n, :"schema".now_ms(), u.shard, u.id, u.subject, u.key, u.body
from (
  select e.*, nextval($n$:"schema".event_n$n$) as n
  from unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[]) as e (shard, id, subject, key, body)
) u
order by u.id collate "C"
on conflict (id) do nothing
returning id
