-- No row: it was handled before. Waits for a transaction that is handling it.
insert into :"schema".handled_events ("group", at, id) values ($1, :"schema".now_ms(), $2)
on conflict ("group", id) do nothing
returning id
