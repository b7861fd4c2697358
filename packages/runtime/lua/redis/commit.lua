-- commit.lua: replaces and removes top-level fields of a session's data; never creates one.
-- KEYS  the record; with a subject its epoch, its index; the kind's list, the deadlines
-- ARGV  1 base  2 id  3 revision it must have|-  4 =owner of a context from here on|-  5 most bytes of a login's data  6 of a context's
--       7 1 to answer with the data, else 0  8 how many keys to remove  9 how many to set
--       10... the keys to remove, then a key and its `key:value` for each to set; keys as JSON texts
-- Gives {committed, record} | {not-found} | {moved} | {too-large, bytes}

local id = ARGV[2]
local record = live(id)
if not record then
  return { 'not-found' }
end
local header = record.header
if ARGV[3] ~= '-' and ARGV[3] ~= header[REVISION] then
  return { 'moved' }
end

local removed, fresh, order = {}, {}, {}
local at = 10
for _ = 1, tonumber(ARGV[8]) do
  removed[ARGV[at]] = true
  at = at + 1
end
for _ = 1, tonumber(ARGV[9]) do
  fresh[ARGV[at]] = ARGV[at + 1]
  order[#order + 1] = ARGV[at]
  at = at + 2
end

local members, lengths = {}, {}
local function add(key_length, member)
  members[#members + 1] = member
  lengths[#lengths + 1] = key_length .. ':' .. #member
end
-- What is set stays where it was; what is new comes last.
local position = 2
for key_length, length in string.gmatch(header[LENGTHS], '(%d+):(%d+)') do
  local member = string.sub(record.data, position, position + length - 1)
  local key = string.sub(member, 1, key_length)
  if fresh[key] then
    add(key_length, fresh[key])
    fresh[key] = nil
  elseif not removed[key] then
    add(key_length, member)
  end
  position = position + length + 1
end
for _, key in ipairs(order) do
  if fresh[key] then
    add(#key, fresh[key])
    fresh[key] = nil
  end
end

local data = '{' .. table.concat(members, ',') .. '}'
local most = tonumber(header[KIND] == 'c' and ARGV[6] or ARGV[5])
if #data > most then
  return { 'too-large', #data }
end
record.data = data
header[LENGTHS] = #lengths > 0 and table.concat(lengths, ',') or '-'
header[REVISION] = text(tonumber(header[REVISION]) + 1)
if ARGV[4] ~= '-' and header[KIND] == 'c' and ARGV[4] ~= header[OWNER] then
  if header[OWNER] ~= '-' then
    redis.call('SREM', base .. 'o:' .. header[OWNER], id)
  end
  own(id, ARGV[4])
  header[OWNER] = ARGV[4]
end
touch(record, now_ms())
store(id, record)
return { 'committed', ARGV[7] == '1' and written(record) or head(record) }
