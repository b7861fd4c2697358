import type { Migration } from "./migrate.js";

/**
 * Tables of the sessions. `tokens`, `sign_in` and `device` are JSON; tokens are there as SHA-256 only. What expired stays until its
 * event is settled, and is handed out at the later of `expires_at` and `claimed_until`. An owner is known from the moment a context
 * names it, with a lease or without one, so that the dead are found without looking at the contexts of the living.
 */
export const SESSION_MIGRATIONS: readonly Migration[] = [
  {
    name: "sessions",
    sql: `
create table clean_arch_sessions (
  id text primary key,
  kind text not null check (kind in ('login', 'context')),
  token_hash text unique,
  previous_token_hash text,
  previous_expires_at integer,
  subject text,
  epoch integer not null,
  data text not null,
  revision integer not null,
  created_at integer not null,
  touched_at integer not null,
  idle_ms integer not null,
  expires_at integer not null,
  absolute_expires_at integer
) strict;
create index clean_arch_sessions_previous on clean_arch_sessions (previous_token_hash) where previous_token_hash is not null;
create index clean_arch_sessions_subject on clean_arch_sessions (subject, created_at, id) where subject is not null;
create index clean_arch_sessions_kind on clean_arch_sessions (kind, created_at, id);
create index clean_arch_sessions_expiry on clean_arch_sessions (expires_at);
create table clean_arch_session_epochs (
  subject text primary key,
  epoch integer not null,
  started_at integer not null
) strict, without rowid;
`,
  },
  {
    // A login's id now begins with its subject's tag and its token with its id: those of before lead nowhere, so they are deleted.
    name: "places, replaced tokens, sign-ins, claims, owners",
    sql: `
create table clean_arch_sessions_new (
  id text primary key not null,
  kind text not null check (kind in ('login', 'context')),
  subject text,
  tokens text,
  data text not null,
  revision integer not null,
  created_at integer not null,
  touched_at integer not null,
  rotated_at integer not null,
  idle_ms integer not null,
  expires_at integer not null,
  absolute_expires_at integer,
  claimed_until integer not null default 0,
  sign_in text,
  device text,
  owner text
) strict;
insert into clean_arch_sessions_new
  (id, kind, data, revision, created_at, touched_at, rotated_at, idle_ms, expires_at, absolute_expires_at)
  select id, kind, data, revision, created_at, touched_at, created_at, idle_ms, expires_at, absolute_expires_at
  from clean_arch_sessions where kind = 'context' and subject is null;
drop table clean_arch_sessions;
drop table clean_arch_session_epochs;
alter table clean_arch_sessions_new rename to clean_arch_sessions;
create index clean_arch_sessions_subject on clean_arch_sessions (subject, kind, created_at, id) where subject is not null;
create index clean_arch_sessions_kind on clean_arch_sessions (kind, created_at, id);
create index clean_arch_sessions_due on clean_arch_sessions (max(expires_at, claimed_until));
create index clean_arch_sessions_owner on clean_arch_sessions (owner, expires_at) where owner is not null;
create table clean_arch_session_owners (
  owner text primary key not null,
  lease_expires_at integer not null
) strict, without rowid;
create index clean_arch_session_owners_lease on clean_arch_session_owners (lease_expires_at);
`,
  },
];
