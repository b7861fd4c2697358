-- Open runs of definitions that are not among $1, $2. Counted up to a bound, so that a long backlog costs no more.
select o.definition, o.version, count(*)::int4 as runs
from (
  select r.definition, r.version from :"schema".runs r
  -- By the partial indexes: an open run is owned, or ready, or shows another status than most.
  where r.ended_at is null and (r.owner is not null or r.ready or r.status not in ('running', 'completed'))
    and (r.definition, r.version) not in (select d.name, d.version from unnest($1::text[], $2::text[]) as d (name, version))
  limit 10000
) o group by o.definition, o.version order by runs desc, o.definition limit 100
