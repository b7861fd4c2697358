-- The newest run of a debounce key, and whether the create $4 went into it.
select r.id::text, r.id = $4::uuid or $4 = any (r.debounced) as joined, r.status = 'pending' as pending
from :"schema".runs r where r.tenant = $1 and r.definition = $2 and r.debounce_key = $3 and r.debounce_key is not null
order by r.id desc limit 1
