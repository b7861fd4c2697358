-- revoke-subject.lua: ends a subject's sessions, in one step. Those that the index should have lost die with the epoch.
-- KEYS  the epoch, the index, the logins, the deadlines
-- ARGV  1 base  2 tag  3 id of the one that stays|-  4 its new epoch
-- Gives how many were live

local index, epoch_key = base .. 'i:' .. ARGV[2], base .. 'e:' .. ARGV[2]
local ended, stays = 0, nil
for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  local record = live(id)
  if record and id == ARGV[3] then
    stays = record
  elseif record then
    forget(id, record.header)
    ended = ended + 1
  end
end
if stays then
  -- The key keeps its end of life: it is that of the subject's longest session.
  redis.call('SET', epoch_key, ARGV[4], 'KEEPTTL')
  stays.header[EPOCH] = ARGV[4]
  store(ARGV[3], stays)
else
  redis.call('DEL', epoch_key)
end
return ended
