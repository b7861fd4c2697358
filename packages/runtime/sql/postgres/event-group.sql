-- Registers the group, and keeps its other members waiting until the commit.
insert into :"schema".event_groups (name) values ($1)
on conflict (name) do update set forgotten = false
