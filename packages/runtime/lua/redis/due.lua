-- due.lua: how many sessions of a bucket wait to be claimed by a sweep.
-- KEYS  the bucket's deadlines, the claimed
-- ARGV  1 base
-- Gives the number

local now = text(now_ms())
return redis.call('ZCOUNT', KEYS[1], '-inf', now) + redis.call('ZCOUNT', base .. 'x', '-inf', now)
