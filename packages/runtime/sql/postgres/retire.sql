update :"schema".workers set dead = true, expires_at = least(expires_at, :"schema".now_ms()) where id = $1 and not dead
returning id
