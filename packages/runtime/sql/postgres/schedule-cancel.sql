-- These runs of the schedule $1 were asked to cancel.
update :"schema".schedule_runs set canceled = true where schedule = $1 and run = any ($2::uuid[])
