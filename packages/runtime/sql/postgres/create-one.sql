-- As create.sql, for one run: what a caller alone waits for. $19 and $20 are null when nobody claims it, as one that is
-- limited ($22) or begins later ($21).
with clock as materialized (select :"schema".now_ms() as now),
lease as materialized (
  select $19::text is not null
    and exists (select from :"schema".workers w, clock where w.id = $1 and not w.dead and w.expires_at > clock.now) as holds
),
made as (
  insert into :"schema".runs (
    id, created_at, updated_at, wake_at, priority, fence, ready, status, owner, tenant, type, definition, version, root_id,
    parent_id, restarted_from, key, input_hash, business_key, session_id, queue, partition_key, attributes, input, limited,
    in_line, start_at)
  select $2::uuid, clock.now, clock.now, case when not lease.holds then clock.now + coalesce($21::int8, 0) end, $3::int8,
    case when lease.holds then 1 else 0 end, not lease.holds and $21 is null and not $22::bool, case when lease.holds then 'running' else 'pending' end,
    case when lease.holds then $1::text end, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text,
    $12::text, $13::text, $14::text, $15::text, $16::text, $17::jsonb, $18::text, $22,
    $22 and $21 is null, clock.now + $21
  from clock, lease
),
first as (
  insert into :"schema".journal (run, at, seq, fence, append_id, records)
  select $2, clock.now, 1, 1, $19, $20::text from clock, lease where lease.holds
)
select clock.now::float8, lease.holds from clock, lease
