-- Of a run that has not ended. A round that was not noted yet opens a halted batch again, and is noted by any other.
with clock as materialized (select :"schema".now_ms() as now)
insert into :"schema".batches as b
  (run, started_at, updated_at, mark_at, prior_at, next_at, round, concurrency, max_failures, max_failure_ratio, rate_max, rate_window_ms)
select r.id, now, now, now, now, now, $2::int4, $3::int4, $4::int4, $5::float8, $6::int4, $7::int4
from clock, :"schema".runs r where r.id = $1::uuid and r.ended_at is null
on conflict (run) do update set
  round = excluded.round, told = false, updated_at = excluded.updated_at,
  status = case when b.status <> 'halted' then b.status when b.is_end and b.open_chunks = 0 then 'ended' else 'open' end,
  ended_at = case when b.status = 'halted' and b.is_end and b.open_chunks = 0 then excluded.updated_at else b.ended_at end,
  failure = case when b.status <> 'halted' then b.failure end,
  halted_failed = case when b.status <> 'halted' then b.halted_failed end,
  halted_settled = case when b.status <> 'halted' then b.halted_settled end,
  forgiven_failed = case when b.status = 'halted' then b.failed else b.forgiven_failed end,
  forgiven_settled = case when b.status = 'halted' then b.done + b.failed + b.skipped else b.forgiven_settled end
where excluded.round > b.round
