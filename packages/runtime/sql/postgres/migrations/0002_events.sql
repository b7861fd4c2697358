-- Events beside the runs: the outbox, who reads it and how far, the ids of those handled, and those that nobody could handle.

-- The outbox, a log in shards, in the order of (place, n). A place is an id of a transaction, not less than that of the writer: what
-- lies below the oldest transaction still open is complete, and no row comes before it any more. Within a place n is the order.
create table :"schema".events (
  place int8 not null,
  n int8 not null,
  at int8 not null,
  shard int2 not null,
  id text collate "C" not null,
  subject text not null,
  key text not null,
  body text not null,
  primary key (shard, place, n)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
create unique index events_id on :"schema".events (id);
create sequence :"schema".event_n;

-- The newest transaction that has ended when an event is put, or the event's own when that is newer. Not its own alone: a transaction that began
-- early may put late, when another one, begun after it, has put an event of the same key and committed.
create function :"schema".event_place() returns int8 language sql volatile
  as $$ select greatest(pg_current_xact_id()::text::int8, pg_snapshot_xmax(pg_current_snapshot())::text::int8 - 1) $$;

-- Below it every event is readable that ever will be.
create function :"schema".event_horizon() returns int8 language sql stable
  as $$ select pg_snapshot_xmin(pg_current_snapshot())::text::int8 $$;

-- A fence of this server's timeline is at least this. When a standby takes over, whoever held a shard holds it no more: his position
-- may be of events that are not there.
create function :"schema".event_first_fence() returns int8 language sql stable
  as $$ select ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int8 << 32 $$;

create table :"schema".event_groups (
  name text primary key,
  -- A group is forgotten and its shards' fences stay, so that they never come twice.
  forgotten bool not null default false
);

create table :"schema".event_members (
  "group" text not null,
  id text not null,
  expires_at int8 not null,
  lease_ms int8 not null,
  primary key ("group", id)
);

-- place and n: up to where the group has done with the shard; 0: nothing yet.
create table :"schema".event_shards (
  "group" text not null,
  shard int2 not null,
  member text,
  fence int8 not null default 0,
  place int8 not null default 0,
  n int8 not null default 0,
  note text,
  primary key ("group", shard)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table :"schema".handled_events (
  "group" text not null,
  at int8 not null,
  id text collate "C" not null,
  primary key ("group", id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.5);
create index handled_events_at on :"schema".handled_events (at);

create table :"schema".parked_events (
  n int8 generated always as identity,
  at int8 not null,
  attempts int4 not null,
  "group" text not null,
  id text collate "C" not null,
  subject text not null,
  key text not null,
  code text not null,
  message text not null,
  body text not null,
  primary key ("group", id)
);
create unique index parked_events_n on :"schema".parked_events (n);
create index parked_events_group on :"schema".parked_events ("group", n);
