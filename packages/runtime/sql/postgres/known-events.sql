-- Which of them were handled, by their places in the list. Waits for nobody.
select u.i::int4 from unnest($1::text[], $2::text[]) with ordinality as u ("group", id, i)
where exists (select 1 from :"schema".handled_events h where h."group" = u."group" and h.id = u.id)
