-- revoke-bucket.lua: ends the oldest logins of a bucket.
-- KEYS  the bucket's logins, its deadlines
-- ARGV  1 base  2 how many of the oldest are left out  3 how many to look at
-- Gives {how many were ended, how many were looked at, ids that were not here: dead, or moved to where they have to be ended}

local ids = redis.call('ZRANGE', KEYS[1], ARGV[2], tonumber(ARGV[2]) + tonumber(ARGV[3]) - 1)
local answer = { 0, #ids }
for _, id in ipairs(ids) do
  local record = live(id)
  if record then
    forget(id, record.header)
    answer[1] = answer[1] + 1
  else
    answer[#answer + 1] = id
  end
end
return answer
