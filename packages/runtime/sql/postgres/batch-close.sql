-- Of a batch that is locked. No row: it has ended, or never was.
with dropped as (
  delete from :"schema".batch_chunks where run = $1::uuid and owner is null returning n
),
sums as materialized (select count(*)::int4 as chunks from dropped)
update :"schema".batches b set
  open_chunks = b.open_chunks - s.chunks,
  status = case when b.open_chunks = s.chunks then 'ended' else 'closing' end,
  told = b.told and b.status = 'closing',
  updated_at = :"schema".now_ms(),
  ended_at = case when b.open_chunks = s.chunks then :"schema".now_ms() end
from sums s where b.run = $1::uuid and b.status <> 'ended'
returning b.status
