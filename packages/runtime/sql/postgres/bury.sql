-- Declares dead whose lease ran out, but for the worker $1 that asks. After a start of the server all leases look expired:
-- nobody is dead until it has been up for the length of the lease.
update :"schema".workers set dead = true, crashed = true, expires_at = least(expires_at, :"schema".now_ms())
where not dead and id <> $1 and expires_at <= :"schema".now_ms()
  and :"schema".now_ms() >= floor(extract(epoch from pg_postmaster_start_time()) * 1000)::int8 + (expires_at - renewed_at)
returning id
