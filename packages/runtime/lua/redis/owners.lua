-- owners.lua: who owns contexts in a bucket.
-- KEYS  the bucket's owners
-- ARGV  1 base
-- Gives {=owner, end of its lease, its live contexts here, ...} without owners that have neither

local now = now_ms()
local answer = {}
local owners = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #owners, 2 do
  local contexts = 0
  for _, id in ipairs(redis.call('SMEMBERS', base .. 'o:' .. owners[at])) do
    if kind_of(id) then
      contexts = contexts + 1
    end
  end
  if contexts > 0 or tonumber(owners[at + 1]) > now then
    answer[#answer + 1] = owners[at]
    answer[#answer + 1] = text(tonumber(owners[at + 1]))
    answer[#answer + 1] = contexts
  end
end
return answer
