-- Runs, their journal, inbox, checkpoints, and the workers. A step that changes nothing but the journal costs one inserted
-- row: a run's seq is its newest journal row, not a column. Few indexes, and partial ones: what is indexed is written twice.
-- No foreign keys (a quarter of the throughput): every write names its run, and pruning deletes by run.

-- The store's clock, in ms since the epoch. Leases, retries and timers follow it and no other.
create function :"schema".now_ms() returns int8 language sql volatile parallel safe
  as $$ select floor(extract(epoch from clock_timestamp()) * 1000)::int8 $$;

create table :"schema".runs (
  id uuid primary key,
  created_at int8 not null,
  updated_at int8 not null,
  ended_at int8,
  wake_at int8,
  priority int8 not null,
  fence int4 not null,
  -- Unconsumed entries of the inbox: what parking looks at, on the row that it locks.
  inbox_open int4 not null default 0,
  -- A worker may claim it at once; a sleeping run becomes ready when wake_at comes.
  ready bool not null,
  -- The last owner's lease ran out.
  crashed bool not null default false,
  -- False: another run took the key over.
  key_held bool not null default true,
  status text not null,
  owner text,
  tenant text not null,
  type text not null,
  definition text not null,
  version text not null,
  rollback_status text not null default 'none',
  root_id text not null,
  parent_id text,
  restarted_from text,
  key text,
  input_hash text not null,
  business_key text,
  session_id text,
  queue text not null,
  partition_key text,
  attributes jsonb,
  failure_reason text,
  output text not null default 'null',
  input text not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
create unique index runs_key on :"schema".runs (tenant, definition, key) where key is not null and key_held;
create index runs_ready on :"schema".runs (priority desc, id) where ready;
create index runs_sleeping on :"schema".runs (wake_at) where not ready and wake_at is not null;
create index runs_owner on :"schema".runs (owner, id) where owner is not null;
-- Most runs are running or completed, and lists of those follow the primary key.
create index runs_status on :"schema".runs (status, id) where status not in ('running', 'completed');
create index runs_ended on :"schema".runs (ended_at) where ended_at is not null;
create index runs_session on :"schema".runs (session_id, id) where session_id is not null;
create index runs_business_key on :"schema".runs (business_key, id) where business_key is not null;
create index runs_parent on :"schema".runs (parent_id, id) where parent_id is not null;
create index runs_attributes on :"schema".runs using gin (attributes jsonb_path_ops) where attributes is not null;

-- Its primary key is the fence. append_id recognizes a row that is sent again; ends says that nothing may follow.
create table :"schema".journal (
  run uuid not null,
  at int8 not null,
  seq int4 not null,
  fence int4 not null,
  v int2 not null default 1,
  ends bool not null default false,
  append_id text not null,
  records text not null,
  codec text,
  key_id text,
  primary key (run, seq)
) with (autovacuum_vacuum_insert_scale_factor = 0.5);

create table :"schema".inbox (
  run uuid not null,
  n int8 generated always as identity,
  at int8 not null,
  consumed bool not null default false,
  id text not null,
  kind text not null,
  name text not null,
  actor text not null,
  payload text not null,
  primary key (run, id)
);
create index inbox_open on :"schema".inbox (run, n) where not consumed;

create table :"schema".checkpoints (
  run uuid not null,
  at int8 not null,
  fence int4 not null,
  n int4 not null,
  seq int4 not null,
  context text not null,
  primary key (run, fence, n)
);

create table :"schema".workers (
  id text primary key,
  n int8 generated always as identity,
  label text not null,
  started_at int8 not null,
  renewed_at int8 not null,
  expires_at int8 not null,
  dead bool not null default false,
  -- It is dead because its lease ran out.
  crashed bool not null default false
);

-- Runs as the store gives them: seq and updated_at follow the newest journal row.
create view :"schema".run_rows as
select r.*, coalesce(last.seq, 0) as seq, greatest(r.updated_at, coalesce(last.at, 0)) as changed_at
from :"schema".runs r
left join lateral (select j.seq, j.at from :"schema".journal j where j.run = r.id order by j.seq desc limit 1) last on true;
