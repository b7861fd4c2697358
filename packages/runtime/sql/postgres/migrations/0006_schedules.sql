-- Schedules beside the runs: when definitions begin runs by themselves, and how far each has come. Few rows, each written at its ticks.
create table :"schema".schedules (
  name text collate "C" primary key,
  revision int4 not null,
  catch_up int4 not null,
  active bool not null,
  registered_at int8 not null,
  seen_at int8 not null,
  since int8 not null,
  last_tick int8,
  last_run_tick int8,
  waiting int8,
  skipped int8 not null,
  missed int8 not null,
  version text not null,
  cron text not null,
  timezone text not null,
  overlap text not null,
  fingerprint text not null,
  last_run text,
  -- It made up for a missed tick.
  last_run_late bool,
  -- JSON of who paused it, when and why.
  paused text,
  -- JSON of what last was not as usual.
  note text
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The runs that ticks began and that had not ended when the schedule last looked.
create table :"schema".schedule_runs (
  schedule text collate "C" not null,
  run uuid not null,
  -- It was asked to cancel for the sake of a later tick.
  canceled bool not null default false,
  primary key (schedule, run)
);
