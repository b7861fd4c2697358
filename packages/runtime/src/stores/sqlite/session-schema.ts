import type { Migration } from "./migrate.js";

/**
 * Tables of the sessions. A session belongs to the epoch its subject was in when its creation began; ending all sessions
 * of a subject starts the next epoch. So a creation that was under way meanwhile, waiting for the file's lock perhaps,
 * stores a session that is dead already. Tokens are there as SHA-256 only.
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
];
