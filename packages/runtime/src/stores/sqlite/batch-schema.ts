import type { Migration } from "./migrate.js";

/**
 * The tables of the batches. `forgiven_*`: what failed and was settled before a batch was last opened again; `halted_*`: when it halted for
 * what failed; `mark_*` and `prior_*`: how many were settled at two times before. `fence` of a chunk is 0 until somebody has it. A place of a
 * failed item is never given twice, for a cursor may point behind the newest one: hence `autoincrement`.
 */
export const BATCH_MIGRATIONS: readonly Migration[] = [
  {
    name: "create batches, their chunks and failed items",
    sql: `
create table clean_arch_batches (
  run text primary key not null,
  status text not null,
  round integer not null,
  told integer not null,
  concurrency integer not null,
  max_failures integer,
  max_failure_ratio real,
  rate_max integer,
  rate_window_ms integer,
  leader text,
  lead_fence integer not null,
  cursor text not null,
  next integer not null,
  is_end integer not null,
  total integer,
  planted integer not null,
  done integer not null,
  failed integer not null,
  skipped integer not null,
  forgiven_failed integer not null,
  forgiven_settled integer not null,
  open_chunks integer not null,
  owned_chunks integer not null,
  next_at real not null,
  failure text,
  halted_failed integer,
  halted_settled integer,
  started_at integer not null,
  updated_at integer not null,
  ended_at integer,
  mark_at integer not null,
  mark_settled integer not null,
  prior_at integer not null,
  prior_settled integer not null
) strict, without rowid;
create index clean_arch_batches_untold on clean_arch_batches (run) where told = 0;

create table clean_arch_batch_chunks (
  run text not null,
  n integer not null,
  size integer not null,
  fence integer not null,
  owner text,
  crashes integer not null,
  under_way text,
  marked_key text,
  marked_crashes integer not null,
  source_from text not null,
  source_to text not null,
  items text,
  primary key (run, n)
) strict, without rowid;
create index clean_arch_batch_chunks_owner on clean_arch_batch_chunks (owner, run, n) where owner is not null;

create table clean_arch_batch_failures (
  place integer primary key autoincrement not null,
  run text not null,
  key text not null,
  item text not null,
  attempts integer not null,
  error text not null,
  failed_at integer not null
) strict;
create index clean_arch_batch_failures_run on clean_arch_batch_failures (run, place);
`,
  },
];
