-- retire-owner.lua: ends an owner's lease in a bucket; what it owns there is adopted by the next who renews.
-- KEYS  the bucket's owners
-- ARGV  1 base  2 =owner

if redis.call('EXISTS', base .. 'o:' .. ARGV[2]) == 1 then
  redis.call('ZADD', KEYS[1], '0', ARGV[2])
else
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return 0
