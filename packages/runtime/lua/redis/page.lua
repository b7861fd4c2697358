-- page.lua: ids of live sessions by creation, newest first, then by id, descending.
-- KEYS  the list; of a subject's its epoch too
-- ARGV  1 base  2 created at|-, and  3 id, of the place to begin after  4 how many at most  5 kind l|c
-- Gives {created at, id, ...}

local after, limit = ARGV[2] ~= '-' and tonumber(ARGV[2]) or nil, tonumber(ARGV[4])
local found, offset = {}, 0
while #found < 2 * limit do
  local batch = redis.call('ZREVRANGEBYSCORE', KEYS[1], after or '+inf', '-inf', 'WITHSCORES', 'LIMIT', offset, 100)
  if #batch == 0 then
    break
  end
  offset = offset + 100
  for at = 1, #batch, 2 do
    local id, created = batch[at], tonumber(batch[at + 1])
    local is_after = not after or created < after or id < ARGV[3]
    if #found < 2 * limit and is_after and kind_of(id) == ARGV[5] then
      found[#found + 1] = text(created)
      found[#found + 1] = id
    end
  end
end
return found
