-- A schedule's row as it is from here on. The caller has it locked.
update :"schema".schedules set
  revision = $2, catch_up = $3, active = $4, registered_at = $5, seen_at = $6, since = $7, last_tick = $8, last_run_tick = $9, waiting = $10,
  skipped = $11, missed = $12, version = $13, cron = $14, timezone = $15, overlap = $16, fingerprint = $17, last_run = $18, paused = $19,
  note = $20, last_run_late = $21
where name = $1
