-- create.lua: stores a new session, counts its subject's logins, makes room.
-- KEYS  the record; with a subject its epoch, its index; the kind's list, the deadlines; of a context its owner's, the owners
-- ARGV  1 base  2 id  3 kind l|c  4 idle ms  5 absolute ms|-  6 token hash|-  7 epoch for a subject without one
--       8 signed in at ms|now|-  9 proof of it|-  10 =owner of a context|-  11 =subject|-  12 lengths|-  13 device  14 data
--       15 most logins of the subject|-  16 deny|evict-oldest
-- Gives {created, record, evicted ids...} | {exists} | {limit-reached}

local id, kind, subject = ARGV[2], ARGV[3], ARGV[11]
local now = now_ms()
if live(id) then
  return { 'exists' }
end

local tag = tag_of(id)
local index, epoch_key = base .. 'i:' .. tag, base .. 'e:' .. tag
local answer = { 'created', '' }

if subject ~= '-' and ARGV[15] ~= '-' then
  local present = {}
  for _, other in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if kind_of(other) == 'l' then
      present[#present + 1] = other
    end
  end
  local too_many = #present - tonumber(ARGV[15]) + 1
  if too_many > 0 and ARGV[16] == 'deny' then
    return { 'limit-reached' }
  end
  for at = 1, too_many do
    forget(present[at], live(present[at]).header)
    answer[#answer + 1] = present[at]
  end
end

local absolute = ARGV[5] ~= '-' and now + tonumber(ARGV[5]) or nil
local epoch = '-'
if subject ~= '-' then
  epoch = redis.call('GET', epoch_key)
  if epoch then
    extend(epoch_key, absolute)
  else
    epoch = ARGV[7]
    put(epoch_key, epoch, absolute)
  end
end

local signed_in = ARGV[8]
if signed_in ~= '-' and (signed_in == 'now' or tonumber(signed_in) > now) then
  signed_in = text(now)
end
local at = text(now)
local record = {
  header = {
    '1', kind, '1', at, at, ARGV[4], absolute and text(absolute) or '-', at, epoch,
    ARGV[6], '-', '-', '-', '-', signed_in, ARGV[9], ARGV[10], subject, ARGV[12],
  },
  device = ARGV[13],
  data = ARGV[14],
}
store(id, record)
redis.call('ZADD', base .. kind, at, id)
if subject ~= '-' then
  local is_new = redis.call('EXISTS', index) == 0
  redis.call('ZADD', index, at, id)
  extend(index, absolute, is_new)
end
own(id, ARGV[10])
answer[2] = written(record)
return answer
