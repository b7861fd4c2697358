select i.run::text, i.id, i.kind, i.name, i.actor, i.at::float8, i.payload
from :"schema".runs r join :"schema".inbox i on i.run = r.id and not i.consumed
where r.owner = $1 and r.inbox_open > 0 order by i.run, i.n limit 10000
