-- No row: the fence is not the newest.
with held as (
  select run, status from :"schema".batches where run = $1::uuid and lead_fence = $2::int4 for update
),
halted as (
  update :"schema".batches b set status = 'halted', failure = $3, updated_at = :"schema".now_ms()
  from held h where b.run = h.run and h.status = 'open'
)
select run::text from held
