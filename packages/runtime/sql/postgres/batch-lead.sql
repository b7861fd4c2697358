-- No row: the batch is somebody else's to lead, or there is nothing to be planted.
with held as materialized (
  select b.run, b.leader, b.lead_fence, b.cursor, b.next
  from :"schema".batches b join :"schema".runs r on r.id = b.run
  where b.run = $1::uuid and b.status = 'open' and not b.is_end and r.status in ('running', 'waiting')
    and exists (select from :"schema".workers w where w.id = $2 and not w.dead and w.expires_at > :"schema".now_ms())
    and (
      b.leader is null or b.leader = $2
      or not exists (select from :"schema".workers w where w.id = b.leader and not w.dead)
    )
  for update of b
),
led as (
  update :"schema".batches b set leader = $2, lead_fence = h.lead_fence + 1, updated_at = :"schema".now_ms()
  from held h where b.run = h.run and h.leader is distinct from $2
  returning b.lead_fence
)
select coalesce((select lead_fence from led), h.lead_fence) as fence, h.cursor, h.next from held h
