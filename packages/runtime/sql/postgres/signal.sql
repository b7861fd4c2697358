-- Messages for open runs, which are locked. Wakes those that nobody owns; an owner reads its inbox with every renewal. One that has not
-- begun waits for its time and its place, unless an operator calls it; what is debounced after that is another run's.
with clock as materialized (select :"schema".now_ms() as now),
sent as (
  insert into :"schema".inbox (run, at, id, kind, name, actor, payload)
  select u.run, clock.now, u.id, u.kind, u.name, u.actor, u.payload
  from clock, unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) with ordinality
    as u (run, id, kind, name, actor, payload, n)
  order by u.n
  on conflict (run, id) do nothing
  returning run, id, kind
),
woken as (
  update :"schema".runs r set
    inbox_open = r.inbox_open + s.messages,
    ready = r.ready or (r.owner is null and (s.calls or r.status <> 'pending')),
    in_line = r.in_line and not s.calls,
    debounce_key = case when s.calls and r.status = 'pending' then null else r.debounce_key end,
    wake_at = case when r.owner is null and (s.calls or r.status <> 'pending')
      then least(coalesce(r.wake_at, clock.now), clock.now) else r.wake_at end
  from clock, (select run, count(*)::int4 as messages, bool_or(kind = 'verb') as calls from sent group by run) s
  where r.id = s.run
  returning r.id, r.owner is not null as owned
)
select sent.run::text, sent.id, woken.owned from sent join woken on woken.id = sent.run
