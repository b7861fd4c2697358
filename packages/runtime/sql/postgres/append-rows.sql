-- Rows and nothing else. All or nothing: a seq that is taken violates the primary key. The fence is read from the row before,
-- or from the run when there is none; a row that is not its run's next finds no fence and violates "not null".
with clock as materialized (select :"schema".now_ms() as now),
rows as (
  insert into :"schema".journal (run, at, seq, fence, append_id, records)
  select u.run, clock.now, u.seq,
    coalesce(
      (select p.fence from :"schema".journal p where p.run = u.run and p.seq = u.seq - 1 and p.fence = u.fence and not p.ends),
      (select r.fence from :"schema".runs r where u.seq = 1 and r.id = u.run and r.fence = u.fence and r.ended_at is null)
    ), u.append_id, u.records
  from clock, unnest($1::uuid[], $2::int4[], $3::int4[], $4::text[], $5::text[]) as u (run, seq, fence, append_id, records)
)
select now::float8 from clock
