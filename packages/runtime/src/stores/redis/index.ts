export { createRedisSessionStore, type RedisSessionStoreOptions } from "./session-store.js";
