-- settle.lua: these expired sessions were handled.
-- KEYS  the bucket's claimed
-- ARGV  1 base  2... their members: kind=subject|- id deadline

for at = 2, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[at])
end
return 0
