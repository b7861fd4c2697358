-- renew-owner.lua: extends an owner's lease in a bucket, touches its contexts there, adopts those of owners without a lease.
-- KEYS  the bucket's owners, its deadlines
-- ARGV  1 base  2 =owner  3 ms of the lease  4 how many to adopt at most
-- Gives {contexts it owns, of them adopted now, contexts left to adopt}

local owner, now, limit = ARGV[2], now_ms(), tonumber(ARGV[4])
local own = base .. 'o:' .. owner
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[3])), owner)

local adopted, left = 0, 0
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now))) do
  local theirs = base .. 'o:' .. dead
  for _, id in ipairs(redis.call('SMEMBERS', theirs)) do
    local record = live(id)
    if not record or record.header[OWNER] ~= dead then
      redis.call('SREM', theirs, id)
    elseif adopted < limit then
      redis.call('SMOVE', theirs, own, id)
      record.header[OWNER] = owner
      touch(record, now)
      store(id, record)
      adopted = adopted + 1
    else
      left = left + 1
    end
  end
  if redis.call('EXISTS', theirs) == 0 then
    redis.call('ZREM', KEYS[1], dead)
  end
end

local owned = 0
for _, id in ipairs(redis.call('SMEMBERS', own)) do
  local record = live(id)
  if record and record.header[OWNER] == owner then
    if now - tonumber(record.header[TOUCHED]) >= tonumber(record.header[IDLE]) / 10 then
      touch(record, now)
      store(id, record)
    end
    owned = owned + 1
  else
    redis.call('SREM', own, id)
  end
end
return { owned, adopted, left }
