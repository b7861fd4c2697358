-- Registers the worker or extends its lease. No row: it was declared dead.
insert into :"schema".workers as w (id, label, started_at, renewed_at, expires_at)
select $1, $2, now, now, now + $3::int8 from (select :"schema".now_ms() as now) clock
on conflict (id) do update set label = excluded.label, renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
where not w.dead
returning renewed_at::float8 as now
