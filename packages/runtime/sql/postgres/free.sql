-- Frees the runs of the dead, also those that a dead worker's last writes claimed after its burial. Locks in one order.
with held as (
  select r.id, w.crashed from :"schema".workers w join :"schema".runs r on r.owner = w.id
  where w.dead order by r.id for update of r
)
update :"schema".runs r set owner = null, ready = true, wake_at = :"schema".now_ms(), crashed = held.crashed
from held where r.id = held.id
returning r.id
