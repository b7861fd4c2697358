-- revoke.lua: ends a session and gives it.
-- KEYS  the record; with a subject its epoch, its index; the kind's list, the deadlines
-- ARGV  1 base  2 id
-- Gives the record as it was | false when it was not live

local record = live(ARGV[2])
if not record then
  return false
end
forget(ARGV[2], record.header)
return written(record)
