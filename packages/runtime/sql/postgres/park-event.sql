with clock as materialized (select :"schema".now_ms() as now),
handled as (
  insert into :"schema".handled_events ("group", at, id) select $1::text, clock.now, $2::text from clock
  on conflict ("group", id) do nothing
)
insert into :"schema".parked_events (at, attempts, "group", id, subject, key, code, message, body)
select clock.now, $3::int4, $1, $2, $4::text, $5::text, $6::text, $7::text, $8::text from clock
on conflict ("group", id) do nothing
