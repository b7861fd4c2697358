select id, label, started_at::float8 as "startedAt", renewed_at::float8 as "renewedAt", expires_at::float8 as "expiresAt", dead,
  (select count(*)::int4 from :"schema".runs r where r.owner = w.id) as runs
from :"schema".workers w order by n desc
