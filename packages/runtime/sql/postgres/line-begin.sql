-- Runs $2 leave the line for the worker $1, whose lease holds. Of one that an operator called meanwhile, or that was put off, nothing comes.
with clock as materialized (select :"schema".now_ms() as now),
due as (
  select r.id from :"schema".runs r
  where r.id = any ($2::uuid[]) and r.in_line
    and exists (select from :"schema".workers w, clock where w.id = $1 and not w.dead and w.expires_at > clock.now)
  order by r.id for update of r skip locked
)
update :"schema".runs r set owner = $1, fence = 1, in_line = false, wake_at = null, begun_at = clock.now, updated_at = clock.now,
  status = 'running'
from due, clock where r.id = due.id
returning r.id::text
