-- rotate.lua: swaps a session's token; as rotateTokens in session-tokens.ts.
-- KEYS  the record; with a subject its epoch, its index; the kind's list, the deadlines
-- ARGV  1 base  2 id  3 old token hash  4 new token hash  5 seed  6 grace ms
--       7 signed in at ms|now|-  8 proof of it|-  9 how many retired tokens are kept
-- Gives {rotated, record, seed} | {reused, kind, =subject|-} | {not-found}; the seed is that of the rotation which came first

local id = ARGV[2]
local record = live(id)
if not record then
  return { 'not-found' }
end
local now = now_ms()
local header = record.header
local verdict = judge(header, ARGV[3], now)
if verdict == 'unknown' then
  return { 'not-found' }
elseif verdict == 'reused' then
  forget(id, header)
  return { 'reused', header[KIND], header[SUBJECT] }
elseif verdict == 'grace' then
  return { 'rotated', written(record), header[SEED] }
end

local grace = tonumber(ARGV[6])
-- A token in its grace when privileges change is forgotten, not retired: requests under way with it are no theft.
if header[PREVIOUS] ~= '-' and (grace > 0 or now >= tonumber(header[GRACE_ENDS])) then
  local retired = { string.sub(header[PREVIOUS], 1, 24) }
  for hash in string.gmatch(header[RETIRED], '[^,]+') do
    if hash ~= '-' and #retired < tonumber(ARGV[9]) then
      retired[#retired + 1] = hash
    end
  end
  header[RETIRED] = table.concat(retired, ',')
end
if grace > 0 then
  header[PREVIOUS], header[GRACE_ENDS], header[SEED] = ARGV[3], text(now + grace), ARGV[5]
else
  header[PREVIOUS], header[GRACE_ENDS], header[SEED] = '-', '-', '-'
end
header[TOKEN], header[ROTATED] = ARGV[4], text(now)
if ARGV[7] ~= '-' then
  header[SIGNED_IN] = (ARGV[7] == 'now' or tonumber(ARGV[7]) > now) and text(now) or ARGV[7]
  header[PROOF] = ARGV[8]
end
touch(record, now)
store(id, record)
return { 'rotated', written(record), ARGV[5] }
