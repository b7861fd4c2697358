import type { Migration } from "./migrate.js";

/**
 * The tables of the runs. A step that changes nothing but the journal costs one inserted row: a run's `seq` is its newest
 * journal row, not a column. `ready` marks the runs that a worker may claim at once; sleeping ones become ready when
 * `wake_at` comes. Payloads are JSON text; `codec` and `key_id` of a journal row are for compressed and encrypted records,
 * which this version neither writes nor reads. `crashed`: the last owner's lease ran out; the next `claimed` row says so.
 * `holds_key`: 0 once a restart took the run's key over. No foreign keys: every write names its run, and `prune` deletes by run.
 */
export const RUN_MIGRATIONS: readonly Migration[] = [
  {
    name: "create runs, journal, inbox, checkpoints, workers",
    sql: `
create table clean_arch_runs (
  id text primary key not null,
  tenant text not null,
  type text not null,
  definition text not null,
  version text not null,
  status text not null,
  failure_reason text,
  rollback_status text not null,
  root_id text not null,
  parent_id text,
  restarted_from text,
  key text,
  holds_key integer not null,
  input_hash text not null,
  business_key text,
  attributes text,
  session_id text,
  queue text not null,
  partition_key text,
  priority integer not null,
  created_at integer not null,
  updated_at integer not null,
  ended_at integer,
  wake_at integer,
  ready integer not null,
  owner text,
  crashed integer not null default 0,
  fence integer not null,
  output text not null,
  input text not null
) strict;
create unique index clean_arch_runs_key on clean_arch_runs (tenant, definition, key) where holds_key = 1;
create index clean_arch_runs_ready on clean_arch_runs (priority desc, id) where ready = 1;
create index clean_arch_runs_sleeping on clean_arch_runs (wake_at) where ready = 0 and wake_at is not null;
create index clean_arch_runs_owner on clean_arch_runs (owner) where owner is not null;
create index clean_arch_runs_status on clean_arch_runs (status, id);
create index clean_arch_runs_session on clean_arch_runs (session_id, id) where session_id is not null;
create index clean_arch_runs_business_key on clean_arch_runs (business_key, id) where business_key is not null;
create index clean_arch_runs_parent on clean_arch_runs (parent_id, id) where parent_id is not null;
create index clean_arch_runs_open on clean_arch_runs (definition, version) where ended_at is null;
create index clean_arch_runs_ended on clean_arch_runs (ended_at) where ended_at is not null;

create table clean_arch_attributes (
  name text not null,
  value text not null,
  run text not null,
  primary key (name, value, run)
) strict, without rowid;
create index clean_arch_attributes_run on clean_arch_attributes (run);

create table clean_arch_journal (
  run text not null,
  seq integer not null,
  v integer not null default 1,
  fence integer not null,
  append_id text not null,
  at integer not null,
  parked integer not null default 0,
  codec text,
  key_id text,
  records text not null,
  primary key (run, seq)
) strict, without rowid;

create table clean_arch_inbox (
  run text not null,
  id text not null,
  kind text not null,
  name text not null,
  actor text not null,
  at integer not null,
  n integer not null,
  consumed integer not null default 0,
  payload text not null,
  primary key (run, id)
) strict, without rowid;
create index clean_arch_inbox_open on clean_arch_inbox (run, n) where consumed = 0;

create table clean_arch_checkpoints (
  run text not null,
  fence integer not null,
  n integer not null,
  seq integer not null,
  at integer not null,
  context text not null,
  primary key (run, fence, n)
) strict, without rowid;

create table clean_arch_workers (
  id text primary key not null,
  label text not null,
  started_at integer not null,
  renewed_at integer not null,
  expires_at integer not null,
  dead integer not null default 0
) strict;
`,
  },
  {
    name: "queues",
    sql: `
-- It needs a place in its queue to begin; while it is due and has none, it stands in line and is not ready.
alter table clean_arch_runs add column limited integer not null default 0;
alter table clean_arch_runs add column in_line integer not null default 0;
alter table clean_arch_runs add column start_at integer;
alter table clean_arch_runs add column begun_at integer;
-- What starts with this key goes into, as long as it has not begun; due by debounce_until. debounced: ids of creates that went into it.
alter table clean_arch_runs add column debounce_key text;
alter table clean_arch_runs add column debounce_until integer;
alter table clean_arch_runs add column debounced text;
drop index clean_arch_runs_sleeping;
create index clean_arch_runs_sleeping on clean_arch_runs (wake_at) where ready = 0 and in_line = 0 and wake_at is not null;
create index clean_arch_runs_line on clean_arch_runs (queue, priority desc, id) where in_line = 1;
create index clean_arch_runs_line_keys on clean_arch_runs (queue, partition_key, priority desc, id) where in_line = 1;
create index clean_arch_runs_delayed on clean_arch_runs (queue, wake_at) where limited = 1 and status = 'pending' and in_line = 0;
create index clean_arch_runs_places on clean_arch_runs (queue, partition_key)
  where limited = 1 and fence > 0 and ended_at is null and (owner is not null or status not in ('stuck', 'paused'));
create index clean_arch_runs_begun on clean_arch_runs (queue, begun_at) where limited = 1 and begun_at is not null;
create index clean_arch_runs_queue on clean_arch_runs (queue, id) where queue <> 'default';
create index clean_arch_runs_debounce on clean_arch_runs (tenant, definition, debounce_key, id) where debounce_key is not null;

-- Where the next look at the keys of a line begins, when there are too many for one.
create table clean_arch_queues (
  queue text primary key not null,
  next_key text not null
) strict, without rowid;
`,
  },
];
