-- One row and nothing else: what a run alone waits for. All or nothing, as append-rows.sql.
insert into :"schema".journal (run, at, seq, fence, append_id, records)
select $1::uuid, :"schema".now_ms(), $2::int4,
  coalesce(
    (select p.fence from :"schema".journal p where p.run = $1 and p.seq = $2 - 1 and p.fence = $3::int4 and not p.ends),
    (select r.fence from :"schema".runs r where $2 = 1 and r.id = $1 and r.fence = $3 and r.ended_at is null)
  ), $4::text, $5::text
returning at::float8 as now
