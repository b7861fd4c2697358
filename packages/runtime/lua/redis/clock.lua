-- clock.lua: the store's clock. Put before every script; the only place that knows Redis' own time and expiry.
--
-- Redis still gives a key in the very millisecond of its expiry time; a session is dead from its deadline on. So a key's
-- expiry time is the millisecond before. A time of `nil` means that the key stays.

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end

local function put(key, value, ends_at)
  if ends_at then
    redis.call('SET', key, value, 'PXAT', text(ends_at - 1))
  else
    redis.call('SET', key, value)
  end
end

-- The key lives until then at least, and as long as it did before.
local function extend(key, ends_at, is_new)
  local present = tonumber(redis.call('PEXPIRETIME', key))
  if not ends_at then
    redis.call('PERSIST', key)
  elseif is_new or (present ~= -1 and present < ends_at - 1) then
    redis.call('PEXPIREAT', key, text(ends_at - 1))
  end
end
