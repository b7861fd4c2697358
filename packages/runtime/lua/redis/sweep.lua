-- sweep.lua: claims expired sessions of a bucket.
-- KEYS  the bucket's deadlines, the claimed, logins, contexts
-- ARGV  1 base  2 how many at most  3 ms of the claim
-- Gives {kind=subject|- id, deadline, ...}

local now, limit = now_ms(), tonumber(ARGV[2])
local claimed_until = text(now + tonumber(ARGV[3]))
local handled = base .. 'x'
local answer = {}

-- Claimed by somebody who did not settle them in time. The member ends with the deadline.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', handled, '-inf', text(now), 'LIMIT', 0, limit)) do
  redis.call('ZADD', handled, claimed_until, member)
  local at = string.find(member, ' [^ ]*$')
  answer[#answer + 1] = string.sub(member, 1, at - 1)
  answer[#answer + 1] = string.sub(member, at + 1)
end
local left = limit - #answer / 2
if left > 0 then
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'WITHSCORES', 'LIMIT', 0, left)
  for at = 1, #due, 2 do
    local member, ends_at = due[at], text(tonumber(due[at + 1]))
    local id = string.sub(member, string.find(member, ' ', 1, true) + 1)
    redis.call('ZREM', KEYS[1], member)
    redis.call('ZREM', base .. (string.sub(member, 1, 1) == 'c' and 'c' or 'l'), id)
    redis.call('ZREM', base .. 'i:' .. tag_of(id), id)
    redis.call('ZADD', handled, claimed_until, member .. ' ' .. ends_at)
    answer[#answer + 1] = member
    answer[#answer + 1] = ends_at
  end
end
return answer
