import { createRedisSessionStore, type RedisSessionStoreOptions } from "./session-store.js";

let made = 0;

/** An open store in real time; each has a prefix of its own unless it is given one. */
export async function openSessions(options: RedisSessionStoreOptions) {
  made += 1;
  const store = createRedisSessionStore({ prefix: `real-${made}:`, ...options });
  await store.open();
  return store;
}
