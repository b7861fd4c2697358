with old as (
  select id from :"schema".runs where ended_at < $1::int8 order by ended_at limit $2 for update skip locked
),
rows as (delete from :"schema".journal j using old where j.run = old.id),
messages as (delete from :"schema".inbox i using old where i.run = old.id),
snapshots as (delete from :"schema".checkpoints k using old where k.run = old.id)
delete from :"schema".runs r using old where r.id = old.id returning r.id
