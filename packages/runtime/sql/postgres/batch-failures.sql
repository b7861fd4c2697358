select f.n::float8 as place, f.at::float8 as "failedAt", f.attempts, f.key, f.item, f.error
from :"schema".batch_failures f where f.run = $1::uuid and f.n > $2::int8 order by f.n limit $3::int4
