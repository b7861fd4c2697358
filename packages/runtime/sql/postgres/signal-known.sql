-- Which messages are in their runs' inboxes, consumed or not.
select i.run::text, i.id from :"schema".inbox i
join unnest($1::uuid[], $2::text[]) as u (run, id) on i.run = u.run and i.id = u.id
