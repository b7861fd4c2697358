select 1 as locked from :"schema".event_groups where name = $1 for update
