-- The runs that messages are for, locked in one order by all who send.
select r.id::text, r.ended_at is not null as ended, r.inbox_open as unread from :"schema".runs r
where r.id = any ($1::uuid[]) order by r.id for update
