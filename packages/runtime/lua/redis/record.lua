-- record.lua: a session's record and where it lies. Put before every script, after clock.lua; session-record.ts is the
-- same in TypeScript, and says what the fields are.
--
-- A record is one text of three lines: a header of fields without spaces, '-' for none; the device (JSON); data, a JSON object.
-- JSON is the caller's and is never decoded here: Lua's decoder makes {} of [] and rounds numbers. The header's last field
-- has the length of each top-level key and of each `key:value` in bytes, so that data is cut and put together as text.
--
-- All keys of a bucket share its hash tag. With base = <prefix>{<bucket>}:
--   <base>s:<id>     string  the record; expires with the session
--   <base>e:<tag>    string  a subject's epoch: its sessions are dead when it is another one, or gone
--   <base>i:<tag>    zset    a subject's sessions by creation; for listing and counting
--   <base>l <base>c  zset    all logins, all contexts by creation; for listing
--   <base>d          zset    all sessions by deadline; <base>x the expired ones that are being handled, by the end of the claim
--   <base>w          zset    owners of contexts by the end of their lease; <base>o:<owner> set, ids of an owner's contexts

--
-- KEYS of a script are all the keys that every call of it may touch: while Redis Cluster moves a slot, it then refuses (TRYAGAIN)
-- what finds only some of them, instead of taking those that have moved for gone. Records of other sessions cannot be
-- named beforehand; a script that finds one missing concludes nothing from it but that it is not here.

local KIND, REVISION, CREATED, TOUCHED, IDLE, ABSOLUTE, ROTATED, EPOCH = 2, 3, 4, 5, 6, 7, 8, 9
local TOKEN, PREVIOUS, GRACE_ENDS, SEED, RETIRED = 10, 11, 12, 13, 14
local SIGNED_IN, PROOF, OWNER, SUBJECT, LENGTHS = 15, 16, 17, 18, 19

local base = ARGV[1]

local function tag_of(id)
  if #id > 16 and not string.find(id, ':', 1, true) then
    return string.sub(id, 1, 16)
  end
  return id
end

local function read(value)
  local first = string.find(value, '\n', 1, true)
  local second = string.find(value, '\n', first + 1, true)
  local header = {}
  for field in string.gmatch(string.sub(value, 1, first - 1), '[^ ]+') do
    header[#header + 1] = field
  end
  return { header = header, device = string.sub(value, first + 1, second - 1), data = string.sub(value, second + 1) }
end

local function written(record)
  return table.concat(record.header, ' ') .. '\n' .. record.device .. '\n' .. record.data
end

-- The answer to a caller who needs no data.
local function head(record)
  return table.concat(record.header, ' ') .. '\n' .. record.device .. '\n{}'
end

local function deadline(header)
  local idle = tonumber(header[TOUCHED]) + tonumber(header[IDLE])
  if header[ABSOLUTE] == '-' then
    return idle
  end
  return math.min(idle, tonumber(header[ABSOLUTE]))
end

local function due_member(id, header)
  return header[KIND] .. header[SUBJECT] .. ' ' .. id
end

-- The record of a live session, or nil. Redis has dropped those beyond their deadline.
local function live(id)
  local value = redis.call('GET', base .. 's:' .. id)
  if not value then
    return nil
  end
  local record = read(value)
  local epoch = record.header[EPOCH]
  if epoch ~= '-' and redis.call('GET', base .. 'e:' .. tag_of(id)) ~= epoch then
    return nil
  end
  return record
end

-- The kind of a live session, or nil: what `live` says, without reading its data. These fields are within the first bytes.
local function kind_of(id)
  local header = {}
  for field in string.gmatch(redis.call('GETRANGE', base .. 's:' .. id, 0, 255), '[^ \n]+') do
    header[#header + 1] = field
  end
  local epoch = header[EPOCH]
  if epoch and (epoch == '-' or redis.call('GET', base .. 'e:' .. tag_of(id)) == epoch) then
    return header[KIND]
  end
  return nil
end

local function store(id, record)
  local ends_at = deadline(record.header)
  put(base .. 's:' .. id, written(record), ends_at)
  redis.call('ZADD', base .. 'd', text(ends_at), due_member(id, record.header))
end

-- Active now: the idle deadline moves, never back.
local function touch(record, now)
  if now > tonumber(record.header[TOUCHED]) then
    record.header[TOUCHED] = text(now)
  end
end

local function forget(id, header)
  redis.call('DEL', base .. 's:' .. id)
  redis.call('ZREM', base .. 'd', due_member(id, header))
  redis.call('ZREM', base .. (header[KIND] == 'c' and 'c' or 'l'), id)
  if header[SUBJECT] ~= '-' then
    redis.call('ZREM', base .. 'i:' .. tag_of(id), id)
  end
  if header[OWNER] ~= '-' then
    redis.call('SREM', base .. 'o:' .. header[OWNER], id)
  end
end

-- An owner that never registered has no lease: the next who renews adopts what it owns.
local function own(id, owner)
  if owner ~= '-' then
    redis.call('SADD', base .. 'o:' .. owner, id)
    redis.call('ZADD', base .. 'w', 'NX', '0', owner)
  end
end

-- current, grace, reused or unknown: as judgeToken in session-tokens.ts.
local function judge(header, hash, now)
  if header[TOKEN] == '-' then
    return 'unknown'
  elseif header[TOKEN] == hash then
    return 'current'
  elseif header[PREVIOUS] == hash then
    return now < tonumber(header[GRACE_ENDS]) and 'grace' or 'reused'
  end
  local short = string.sub(hash, 1, 24)
  for retired in string.gmatch(header[RETIRED], '[^,]+') do
    if retired == short then
      return 'reused'
    end
  end
  return 'unknown'
end
