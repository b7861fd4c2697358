update :"schema".queues set next_key = $2 where queue = $1
