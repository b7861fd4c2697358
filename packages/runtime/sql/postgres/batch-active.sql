-- What a worker $1, whose lease holds, could do for batches of its definitions $2, $3.
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
  from :"schema".batches b
  join :"schema".runs r on r.id = b.run
  cross join lateral (select b.status = 'open' and r.status in ('running', 'waiting') as gives) g
  where not b.told
    and (r.definition, r.version) in (select d.name, d.version from unnest($2::text[], $3::text[]) as d (name, version))
    and exists (select from :"schema".workers w where w.id = $1 and not w.dead and w.expires_at > :"schema".now_ms())
  order by b.run
) a
where a.leads or a.takeable > 0 or a.untold
limit 100
