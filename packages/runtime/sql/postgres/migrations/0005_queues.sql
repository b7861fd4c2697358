-- Queues with limits, runs that begin later, and starts that are debounced. What is in no limited queue is in none of the new indexes.

alter table :"schema".runs
  -- It needs a place in its queue to begin.
  add column limited bool not null default false,
  -- It is due and has no place: it stands in line, and is not ready.
  add column in_line bool not null default false,
  add column start_at int8,
  add column begun_at int8,
  -- What is started with this key goes into the run, as long as it has not begun; it is due by debounce_until. debounced: ids of the
  -- newest creates that went into it.
  add column debounce_key text,
  add column debounce_until int8,
  add column debounced uuid[];

drop index :"schema".runs_sleeping;
create index runs_sleeping on :"schema".runs (wake_at) where not ready and not in_line and wake_at is not null;

create index runs_line on :"schema".runs (queue, priority desc, id) where in_line;
create index runs_line_keys on :"schema".runs (queue, partition_key, priority desc, id) where in_line;
create index runs_delayed on :"schema".runs (queue, wake_at) where limited and status = 'pending' and not in_line;
-- One that is parked, stuck or paused, holds no place.
create index runs_places on :"schema".runs (queue, partition_key)
  where limited and fence > 0 and ended_at is null and (owner is not null or status not in ('stuck', 'paused'));
create index runs_begun on :"schema".runs (queue, begun_at) where limited and begun_at is not null;
create index runs_queue on :"schema".runs (queue, id) where queue <> 'default';
create unique index runs_debounce on :"schema".runs (tenant, definition, debounce_key)
  where debounce_key is not null and status = 'pending';
create index runs_debounced on :"schema".runs (tenant, definition, debounce_key, id) where debounce_key is not null;

-- A row for each limited queue: whoever begins runs of it locks it first.
create table :"schema".queues (
  queue text primary key,
  -- Where the next look at the keys of its line begins, when there are too many for one.
  next_key text not null default ''
);

drop view :"schema".run_rows;
create view :"schema".run_rows as
select r.*, coalesce(last.seq, 0) as seq, greatest(r.updated_at, coalesce(last.at, 0)) as changed_at
from :"schema".runs r
left join lateral (select j.seq, j.at from :"schema".journal j where j.run = r.id order by j.seq desc limit 1) last on true;
