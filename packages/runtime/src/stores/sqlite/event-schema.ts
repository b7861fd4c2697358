import type { Migration } from "./migrate.js";

/**
 * The tables of the events. A position is the outbox's rowid: with one writer at a time rows are readable in the order of their
 * numbers. It is never given twice, also when the newest rows were deleted: hence `autoincrement`. A group has a row for each shard from
 * its first lease on. `group` is a word of SQL, so the column is `reader`.
 */
export const EVENT_MIGRATIONS: readonly Migration[] = [
  {
    name: "create outbox, readers, handled and parked events",
    sql: `
create table clean_arch_outbox (
  position integer primary key autoincrement not null,
  id text not null unique,
  shard integer not null,
  subject text not null,
  key text not null,
  body text not null,
  stored_at integer not null
) strict;
create index clean_arch_outbox_shard on clean_arch_outbox (shard, position);

create table clean_arch_event_members (
  reader text not null,
  member text not null,
  expires_at integer not null,
  primary key (reader, member)
) strict, without rowid;

create table clean_arch_event_shards (
  reader text not null,
  shard integer not null,
  holder text,
  fence integer not null default 0,
  position integer,
  note text,
  primary key (reader, shard)
) strict, without rowid;

create table clean_arch_handled_events (
  reader text not null,
  event text not null,
  handled_at integer not null,
  primary key (reader, event)
) strict, without rowid;
create index clean_arch_handled_events_age on clean_arch_handled_events (handled_at);

create table clean_arch_parked_events (
  n integer primary key not null,
  reader text not null,
  id text not null,
  subject text not null,
  key text not null,
  body text not null,
  code text not null,
  message text not null,
  attempts integer not null,
  parked_at integer not null,
  unique (reader, id)
) strict;
create index clean_arch_parked_events_reader on clean_arch_parked_events (reader, n);
`,
  },
];
