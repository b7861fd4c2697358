-- Sleeping runs whose time has come, a bounded number at a time: they are ready, or stand in the line of their queue. Gives the queues
-- that have a line, each for one probe of the index, however many runs stand there. The time is asked for once, so that the index ends
-- the search: those that sleep on are not looked at.
with recursive due as (
  select id from :"schema".runs
  where not ready and not in_line and wake_at is not null and wake_at <= (select :"schema".now_ms()) and owner is null
  order by wake_at limit 1000 for update skip locked
),
woken as (
  update :"schema".runs r set ready = not (r.limited and r.fence = 0), in_line = r.limited and r.fence = 0
  from due where r.id = due.id
  returning r.queue, r.in_line
),
lines (queue) as (
  select (select queue from :"schema".runs where in_line order by queue limit 1)
  union all
  select (select r.queue from :"schema".runs r where r.in_line and r.queue > l.queue order by r.queue limit 1)
  from lines l where l.queue is not null
)
select queue from lines where queue is not null
union select queue from woken where in_line
