-- revoke-bucket.lua: ends the oldest logins of a bucket.
-- KEYS  1 the bucket's logins
-- ARGV  1 base  2 how many at most
-- Gives {how many were live, 1 when more are left, else 0}

local ids = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)
local ended = 0
for _, id in ipairs(ids) do
  local record = live(id)
  if record then
    forget(id, record.header)
    ended = ended + 1
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return { ended, redis.call('ZCARD', KEYS[1]) > 0 and 1 or 0 }
