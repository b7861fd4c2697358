-- Sleeping runs whose time has come, a bounded number at a time.
with due as (
  select id from :"schema".runs
  where not ready and wake_at is not null and wake_at <= :"schema".now_ms() and owner is null
  order by wake_at limit 1000 for update skip locked
)
update :"schema".runs r set ready = true from due where r.id = due.id
