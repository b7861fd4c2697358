-- Runs of the schedule $1 that have not ended.
select r.id::text, r.key, r.status, s.canceled from :"schema".schedule_runs s join :"schema".runs r on r.id = s.run
where s.schedule = $1 and r.ended_at is null order by r.id
