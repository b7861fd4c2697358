-- The first registration of a schedule. No row: somebody else was faster.
insert into :"schema".schedules (
  name, revision, catch_up, active, registered_at, seen_at, since, last_tick, last_run_tick, waiting, skipped, missed, version,
  cron, timezone, overlap, fingerprint, last_run, paused, note, last_run_late)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
on conflict (name) do nothing
returning name
