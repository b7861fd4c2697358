-- How many runs of queue $1 stand in line, and how many come later.
with clock as materialized (select :"schema".now_ms() as now),
later as (
  select r.wake_at from :"schema".runs r where r.limited and r.status = 'pending' and not r.in_line and r.queue = $1::text
)
select (select count(*) from :"schema".runs r where r.in_line and r.queue = $1)::int4 as "inLine",
  (select count(*) from later, clock where wake_at <= clock.now)::int4 as due,
  (select count(*) from later, clock where wake_at > clock.now)::int4 as delayed,
  (select min(wake_at) from later, clock where wake_at > clock.now)::float8 as "firstLaterAt"
