-- $3: its id no longer counts as handled. No row: it was not parked.
with taken as (
  delete from :"schema".parked_events where "group" = $1 and id = $2 returning "group", id
),
forgotten as (
  delete from :"schema".handled_events h using taken u where $3::bool and h."group" = u."group" and h.id = u.id
)
select id from taken
