import { silentLogger } from "../../log.js";
import { createRedisConnection } from "./connection.js";
import { Keys } from "./keys.js";
import { Scripts } from "./scripts.js";
import { RedisSessionStore } from "./session-store.js";
import { createRedisTestClock, type Evaluating } from "./test-clock.test.support.js";
import { TouchHints } from "./touch-hints.js";

let opened = 0;

/** Two open stores over the same sessions, of a prefix of their own, whose clock is moved by `advance`. */
export async function openTimedSessions(url: string | readonly string[], servers: readonly Evaluating[]) {
  opened += 1;
  const prefix = `test-${opened}:`;
  const { clock, script, timed, advance } = createRedisTestClock(prefix, servers);
  const make = (): RedisSessionStore =>
    new RedisSessionStore(timed(createRedisConnection({ url })), {
      ...{ keys: new Keys(prefix), scripts: new Scripts(script), hints: new TouchHints(clock) },
      logger: silentLogger,
    });
  const store = make();
  const peer = make();
  await store.open();
  await peer.open();
  const close = async (): Promise<void> => {
    await store.close();
    await peer.close();
  };
  return {
    ...{ store, peer, prefix, clock, advance, close },
    async reopen() {
      await close();
      await store.open();
      return store;
    },
  };
}
