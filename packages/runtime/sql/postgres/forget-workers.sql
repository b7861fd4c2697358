-- The dead are remembered for an hour at least, so that their last writes are seen and freed, and no more than 50 of them after.
delete from :"schema".workers w where w.dead and w.renewed_at < :"schema".now_ms() - 3600000
  and w.n < (select n from :"schema".workers where dead order by n desc offset 49 limit 1)
