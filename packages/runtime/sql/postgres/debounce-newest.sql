-- The run of a debounce key that waits, or else the newest one, and whether the create $4 went into it. Ids come from clocks of several
-- instances: the one that waits need not be the newest by its id.
select r.id, r.joined, r.pending from (
  (
    select w.id::text, w.id = $4::uuid or $4 = any (w.debounced) as joined, true as pending
    from :"schema".runs w where w.tenant = $1 and w.definition = $2 and w.debounce_key = $3 and w.debounce_key is not null and w.status = 'pending'
  )
  union all
  (
    select n.id::text, n.id = $4::uuid or $4 = any (n.debounced) as joined, n.status = 'pending' as pending
    from :"schema".runs n where n.tenant = $1 and n.definition = $2 and n.debounce_key = $3 and n.debounce_key is not null
    order by n.id desc limit 1
  )
) r
order by r.joined desc, r.pending desc limit 1
