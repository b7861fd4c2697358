import { createManualClock } from "../../testing/manual-clock.js";
import type { RedisConnection } from "./connection.js";

/**
 * A clock for scripts that a test moves. Redis has none, so each script gets the time with its arguments, and its keys get an
 * expiry time so far in the future that only `advance` ends them: it removes what is over by the test's time. All else
 * is as in production; that Redis' own clock and expiry do the same is shown by tests in real time.
 */
const FAR_MS = 100 * 365 * 86_400_000;

const CLOCK = `
local function now_ms() return tonumber(ARGV[#ARGV]) end
local function text(number) return string.format('%.0f', number) end
local function put(key, value, ends_at)
  if ends_at then redis.call('SET', key, value, 'PXAT', text(ends_at - 1 + ${FAR_MS})) else redis.call('SET', key, value) end
end
local function extend(key, ends_at, is_new)
  local present = tonumber(redis.call('PEXPIRETIME', key))
  if not ends_at then
    redis.call('PERSIST', key)
  elseif is_new or (present ~= -1 and present < ends_at - 1 + ${FAR_MS}) then
    redis.call('PEXPIREAT', key, text(ends_at - 1 + ${FAR_MS}))
  end
end
`;

/** Removes the keys with this prefix whose end has come. */
const END = `
local cursor = '0'
repeat
  local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1] .. '*', 'COUNT', 1000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local at = tonumber(redis.call('PEXPIRETIME', key))
    if at > 0 and at - ${FAR_MS} < tonumber(ARGV[2]) then redis.call('DEL', key) end
  end
until cursor == '0'
return 0
`;

export interface Evaluating {
  command(...command: string[]): Promise<string>;
}

export function createRedisTestClock(prefix: string, servers: readonly Evaluating[]) {
  const clock = createManualClock();
  return {
    clock,
    /** For `new Scripts`. */
    script: CLOCK,
    /** The same connection, whose scripts know the time. */
    timed: (connection: RedisConnection): RedisConnection => ({
      open: () => connection.open(),
      close: () => connection.close(),
      get: (key) => connection.get(key),
      mget: (keys) => connection.mget(keys),
      reports: () => connection.reports(),
      time: async () => clock.now(),
      tracked: connection.tracked,
      run: (script, keys, args) => connection.run(script, keys, [...args, String(clock.now())]),
    }),
    async advance(ms: number): Promise<void> {
      clock.advance(ms);
      await Promise.all(servers.map((server) => server.command("EVAL", END, "0", prefix, String(clock.now()))));
    },
  };
}
