-- Events of a shard behind a position, below the horizon.
select e.place::text, e.n::text, e.at::float8, e.id, e.subject, e.key, e.body from :"schema".events e
where e.shard = $1 and (e.place, e.n) > ($2::int8, $3::int8) and e.place < :"schema".event_horizon()
order by e.place, e.n limit $4
