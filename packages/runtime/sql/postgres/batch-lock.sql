-- In one order by all who lock several.
select run::text from :"schema".batches where run = any ($1::uuid[]) order by run for update
