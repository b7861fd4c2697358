-- Returns those that were not handled before. Waits for a transaction that is handling one of them; in one order, so that two never wait for
-- each other here.
insert into :"schema".handled_events ("group", at, id)
select $1, clock.now, u.id from (select :"schema".now_ms() as now) clock, unnest($2::text[]) as u (id)
order by u.id collate "C"
on conflict ("group", id) do nothing
returning id
