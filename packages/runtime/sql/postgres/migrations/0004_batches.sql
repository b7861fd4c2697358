-- Batches beside the runs: how far each has read its source, the chunks that are not settled, and the items that failed. Whoever changes
-- a batch or its chunks locks the batch's row first; counts of its chunks are on that row, for a statement that waited for the lock
-- sees the row as it is, and the chunks as they were when it began.
create table :"schema".batches (
  run uuid primary key,
  started_at int8 not null,
  updated_at int8 not null,
  ended_at int8,
  -- For the rate of the progress: how many were settled at two times before.
  mark_at int8 not null,
  mark_settled int8 not null default 0,
  prior_at int8 not null,
  prior_settled int8 not null default 0,
  -- From when on a chunk may begin, by the rate.
  next_at float8 not null,
  total int8,
  planted int8 not null default 0,
  done int8 not null default 0,
  failed int8 not null default 0,
  skipped int8 not null default 0,
  -- Before it was last opened again: the budget is judged by the rest.
  forgiven_failed int8 not null default 0,
  forgiven_settled int8 not null default 0,
  -- When it halted for what failed.
  halted_failed int8,
  halted_settled int8,
  max_failure_ratio float8,
  max_failures int4,
  rate_max int4,
  rate_window_ms int4,
  concurrency int4 not null,
  round int4 not null,
  lead_fence int4 not null default 0,
  -- Number of the next chunk, and one below which there is none.
  next int4 not null default 1,
  low int4 not null default 1,
  open_chunks int4 not null default 0,
  owned_chunks int4 not null default 0,
  is_end bool not null default false,
  -- The run knows of the end, or of the halt.
  told bool not null default false,
  status text not null default 'open',
  leader text,
  failure text,
  cursor text not null default 'null'
-- Written with every call: its new version is to lie beside the old one, and no index to know of it.
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index batches_untold on :"schema".batches (run) where not told;

create table :"schema".batch_chunks (
  run uuid not null,
  n int4 not null,
  size int4 not null,
  -- 0: nobody had it yet.
  fence int4 not null default 0,
  crashes int4 not null default 0,
  marked_crashes int4 not null default 0,
  owner text,
  under_way text,
  marked_key text,
  "from" text not null,
  "to" text not null,
  items text,
  primary key (run, n)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 2000);

create table :"schema".batch_failures (
  run uuid not null,
  n int8 generated always as identity,
  at int8 not null,
  attempts int4 not null,
  key text not null,
  item text not null,
  error text not null,
  primary key (run, n)
) with (autovacuum_vacuum_insert_scale_factor = 0.5);
