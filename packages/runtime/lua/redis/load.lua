-- load.lua: the session that a token leads to, touched when that is due.
-- KEYS  the record; with a subject its epoch, its index; the kind's list, the deadlines
-- ARGV  1 base  2 id  3 token hash  4 1 to touch, else 0
-- Gives {current, record, now} | {grace, record, now, seed} | {reused, kind, =subject|-} | false

local id = ARGV[2]
local record = live(id)
if not record then
  return false
end
local now = now_ms()
local header = record.header
local verdict = judge(header, ARGV[3], now)
if verdict == 'unknown' then
  return false
elseif verdict == 'reused' then
  forget(id, header)
  return { 'reused', header[KIND], header[SUBJECT] }
end
-- Below a tenth of the idle time a touch is not worth a write.
if ARGV[4] == '1' and now - tonumber(header[TOUCHED]) >= tonumber(header[IDLE]) / 10 then
  touch(record, now)
  store(id, record)
end
return { verdict, written(record), text(now), verdict == 'grace' and header[SEED] or nil }
