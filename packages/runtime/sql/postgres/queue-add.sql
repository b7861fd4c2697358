insert into :"schema".queues (queue) values ($1) on conflict (queue) do nothing returning queue
