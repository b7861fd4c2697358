-- As create.sql, with events for the outbox as in put-events.sql.
with clock as materialized (select :"schema".now_ms() as now),
lease as materialized (
  select exists (select from :"schema".workers w, clock where w.id = $1 and not w.dead and w.expires_at > clock.now) as holds
),
made as (
  insert into :"schema".runs (
    id, created_at, updated_at, wake_at, priority, fence, ready, status, owner, tenant, type, definition, version, root_id,
    parent_id, restarted_from, key, input_hash, business_key, session_id, queue, partition_key, attributes, input, limited,
    in_line, start_at)
  select u.id, clock.now, clock.now, case when u.append_id is null or not lease.holds then clock.now + coalesce(u.delay, 0) end, u.priority,
    case when u.append_id is not null and lease.holds then 1 else 0 end,
    (u.append_id is null or not lease.holds) and u.delay is null and not u.limited,
    case when u.append_id is not null and lease.holds then 'running' else 'pending' end,
    case when u.append_id is not null and lease.holds then $1 end,
    u.tenant, u.type, u.definition, u.version, u.root_id, u.parent_id, u.restarted_from, u.key, u.input_hash,
    u.business_key, u.session_id, u.queue, u.partition_key, u.attributes::jsonb, u.input, u.limited,
    u.limited and u.delay is null, clock.now + u.delay
  from clock, lease, unnest($2::uuid[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[],
    $19::text[], $21::int8[], $22::bool[])
    as u (id, priority, tenant, type, definition, version, root_id, parent_id, restarted_from, key, input_hash,
      business_key, session_id, queue, partition_key, attributes, input, append_id, delay, limited)
),
first as (
  insert into :"schema".journal (run, at, seq, fence, append_id, records)
  select u.id, clock.now, 1, 1, u.append_id, u.records
  from clock, lease, unnest($2::uuid[], $19::text[], $20::text[]) as u (id, append_id, records)
  where u.append_id is not null and lease.holds
),
put as (
  insert into :"schema".events (place, n, at, shard, id, subject, key, body)
  select :"schema".event_place(), u.n, clock.now, u.shard, u.id, u.subject, u.key, u.body
  from clock, (
    select e.*, nextval($n$:"schema".event_n$n$) as n
    from unnest($23::int4[], $24::text[], $25::text[], $26::text[], $27::text[]) as e (shard, id, subject, key, body)
  ) u
  order by u.id collate "C"
  on conflict (id) do nothing
)
select clock.now::float8, lease.holds from clock, lease
