with old as (
  select r.id from :"schema".runs r
  where r.ended_at < $1::int8
    and (r.parent_id is null
      or not exists (
        select from :"schema".runs root
        where root.id = case when r.root_id ~ '^[0-9a-f-]{36}$' then r.root_id::uuid end and root.ended_at is null
      ))
  order by r.ended_at limit $2 for update skip locked
),
rows as (delete from :"schema".journal j using old where j.run = old.id),
messages as (delete from :"schema".inbox i using old where i.run = old.id),
snapshots as (delete from :"schema".checkpoints k using old where k.run = old.id),
-- The batch first: whoever deletes chunks has locked it.
batches as (delete from :"schema".batches b using old where b.run = old.id returning b.run),
chunks as (delete from :"schema".batch_chunks c using batches b where c.run = b.run),
failures as (delete from :"schema".batch_failures f using batches b where f.run = b.run)
delete from :"schema".runs r using old where r.id = old.id returning r.id
