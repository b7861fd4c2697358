-- The run $1 takes in what is started with its debounce key.
update :"schema".runs r set debounce_key = $2, debounce_until = r.created_at + $3::int8, debounced = array[r.id] where r.id = $1::uuid
