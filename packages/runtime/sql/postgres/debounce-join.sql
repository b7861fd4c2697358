-- A create goes into the run $1, if nobody began it meanwhile. No row: somebody did.
update :"schema".runs r set version = $3::text, input = $4::text, input_hash = $5::text, business_key = $6::text, attributes = $7::jsonb,
  session_id = $8::text, queue = $9::text, partition_key = $10::text, priority = $11::int8, limited = $12::bool,
  start_at = least(clock.now + $13::int8, r.debounce_until), wake_at = least(clock.now + $13, r.debounce_until),
  ready = false, in_line = false, updated_at = clock.now,
  debounced = (r.debounced || $2::uuid)[greatest(1, array_length(r.debounced, 1) - 48):]
from (select :"schema".now_ms() as now) clock
where r.id = $1::uuid and r.status = 'pending' and r.debounce_key is not null
returning r.id
