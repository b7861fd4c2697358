select b.run::text, b.status, b.round, b.told, b.concurrency, b.max_failures as "maxFailures", b.max_failure_ratio as "maxFailureRatio",
  b.rate_max as "rateMax", b.rate_window_ms as "rateWindowMs", b.leader, b.lead_fence as "leadFence", b.cursor, b.next, b.is_end as "isEnd",
  b.total::float8, b.planted::float8, b.done::float8, b.failed::float8, b.skipped::float8, b.forgiven_failed::float8 as "forgivenFailed",
  b.forgiven_settled::float8 as "forgivenSettled", b.open_chunks as "openChunks", b.owned_chunks as "ownedChunks", b.next_at as "nextAt",
  b.failure, b.halted_failed::float8 as "haltedFailed", b.halted_settled::float8 as "haltedSettled", b.started_at::float8 as "startedAt",
  b.updated_at::float8 as "updatedAt", b.ended_at::float8 as "endedAt", b.mark_at::float8 as "markAt", b.mark_settled::float8 as "markSettled",
  b.prior_at::float8 as "priorAt", b.prior_settled::float8 as "priorSettled", :"schema".now_ms()::float8 as now
from :"schema".batches b where b.run = $1::uuid
