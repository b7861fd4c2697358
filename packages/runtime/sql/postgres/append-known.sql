-- What became of rows that were refused: the row that has their place, and whether its writer parked the run with it.
select j.run::text, j.seq, j.append_id, j.at::float8,
  j.fence < r.fence or (r.owner is null and r.ended_at is null) as parked
from unnest($1::uuid[], $2::int4[]) as u (run, seq)
join :"schema".journal j on j.run = u.run and j.seq = u.seq
join :"schema".runs r on r.id = u.run
