-- Takes due runs for a worker whose lease holds. $2, $3: names and versions of the definitions it has; $4: how many; $5: runs
-- to leave alone.
with clock as materialized (select :"schema".now_ms() as now),
due as (
  select r.id, r.fence, r.crashed from :"schema".runs r
  where r.ready and (r.definition, r.version) in (select d.name, d.version from unnest($2::text[], $3::text[]) as d (name, version))
    and r.id <> all ($5::uuid[])
    and exists (select from :"schema".workers w, clock where w.id = $1 and not w.dead and w.expires_at > clock.now)
  order by r.priority desc, r.id limit $4 for update of r skip locked
)
update :"schema".runs r set owner = $1, fence = r.fence + 1, ready = false, wake_at = null, crashed = false,
  begun_at = case when r.fence = 0 and (r.limited or r.start_at is not null) then clock.now else r.begun_at end,
  updated_at = clock.now, status = case when r.status in ('pending', 'waiting') then 'running' else r.status end
from due, clock where r.id = due.id
returning r.id::text, due.fence, due.crashed
