import type { Migration } from "./migrate.js";

/**
 * The tables of the schedules. `paused`: JSON of who paused it, when and why; `note`: of what last was not as usual.
 * `clean_arch_schedule_runs`: the runs that ticks began and that had not ended when the schedule last looked.
 */
export const SCHEDULE_MIGRATIONS: readonly Migration[] = [
  {
    name: "create schedules",
    sql: `
create table clean_arch_schedules (
  name text primary key not null,
  version text not null,
  cron text not null,
  timezone text not null,
  overlap text not null,
  catch_up integer not null,
  fingerprint text not null,
  revision integer not null,
  active integer not null,
  registered_at integer not null,
  seen_at integer not null,
  since integer not null,
  last_tick integer,
  last_run text,
  last_run_tick integer,
  last_run_late integer,
  waiting integer,
  skipped integer not null,
  missed integer not null,
  paused text,
  note text
) strict, without rowid;

create table clean_arch_schedule_runs (
  schedule text not null,
  run text not null,
  canceled integer not null default 0,
  primary key (schedule, run)
) strict, without rowid;
`,
  },
];
