-- Batches of which the dead own chunks.
select b.run::text from :"schema".batches b
where not b.told and b.owned_chunks > 0 and exists (
  select from :"schema".batch_chunks c join :"schema".workers w on w.id = c.owner
  where c.run = b.run and c.n >= b.low and w.dead
)
