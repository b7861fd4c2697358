-- What a worker $1, whose lease holds, could do for batches of its definitions $2, $3. From the batches to their runs, and in no other order:
-- few batches are untold, however many runs there are.
with untold as materialized (
  select b.* from :"schema".batches b
  where not b.told and exists (
    select from :"schema".workers w where w.id = $1 and not w.dead and w.expires_at > :"schema".now_ms()
  )
)
select a.* from (
  select b.run::text, r.definition, r.version, b.status, b.round,
    g.gives and not b.is_end and (
      b.leader is null or b.leader = $1
      or not exists (select from :"schema".workers w where w.id = b.leader and not w.dead)
    ) as leads,
    case when g.gives then greatest(0, least(b.open_chunks, b.concurrency) - b.owned_chunks) else 0 end
    + case
        when b.owned_chunks > 0 and (g.gives or b.status = 'closing') then (
          select count(*)::int4 from :"schema".batch_chunks c where c.run = b.run and c.n >= b.low and c.owner = $1
        )
        else 0
      end as takeable,
    b.status in ('halted', 'ended') as untold
  from untold b
  cross join lateral (
    select r.definition, r.version, r.status from :"schema".runs r where r.id = b.run limit 1
  ) r
  cross join lateral (select b.status = 'open' and r.status in ('running', 'waiting') as gives) g
  where (r.definition, r.version) in (select d.name, d.version from unnest($2::text[], $3::text[]) as d (name, version))
) a
where a.leads or a.takeable > 0 or a.untold
order by a.run limit 100
