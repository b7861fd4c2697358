export type { NearCacheCounts, NearCacheOptions } from "./near-cache.js";
export { createRedisSessionStore, type RedisSessionStoreOptions, type RedisSessions } from "./session-store.js";
