-- settle.lua: these expired sessions were handled.
-- KEYS  1 the bucket's handled ones
-- ARGV  1 base  2... their members: kind=subject|- id deadline

for at = 2, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[at])
end
return 0
