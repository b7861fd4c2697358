-- A run that a tick of the schedule $1 has begun; those of earlier ticks that have ended, or are deleted, are forgotten.
with forgotten as (
  delete from :"schema".schedule_runs s
  where s.schedule = $1 and s.run <> $2::uuid and not exists (select from :"schema".runs r where r.id = s.run and r.ended_at is null)
)
insert into :"schema".schedule_runs (schedule, run) values ($1, $2::uuid) on conflict (schedule, run) do nothing
