-- Fences off the former owners: a row at each run's next seq. A run whose seq was taken meanwhile is not returned: again.
insert into :"schema".journal (run, at, seq, fence, append_id, records)
select u.run, :"schema".now_ms(),
  1 + coalesce((select j.seq from :"schema".journal j where j.run = u.run order by j.seq desc limit 1), 0),
  u.fence, 'claim:' || u.fence, u.records
from unnest($1::uuid[], $2::int4[], $3::text[]) as u (run, fence, records)
on conflict (run, seq) do nothing
returning run::text
