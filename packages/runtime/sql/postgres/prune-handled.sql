delete from :"schema".handled_events h
where h.ctid = any (array(
  select old.ctid from :"schema".handled_events old where old.at < $1::int8 order by old.at limit $2
))
returning 1 as deleted
