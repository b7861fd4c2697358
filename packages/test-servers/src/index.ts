export { type FaultyProxy, type FaultyProxyOptions, startFaultyProxy } from "./faulty-proxy.js";
export { freePort } from "./free-port.js";
export { missingNats, type Nats, type NatsOptions, startNats } from "./nats.js";
export { missingPostgres, type Postgres, type PostgresOptions, type StopMode, startPostgres } from "./postgres.js";
export type { Weather } from "./proxy-lane.js";
export type { Swallow } from "./proxy-link.js";
export { missingRedis, type Redis, type RedisOptions, type RedisPersistence, startRedis } from "./redis.js";
export { type RedisCluster, type RedisClusterOptions, startRedisCluster } from "./redis-cluster.js";
export { type RedisPair, type RedisPairOptions, startRedisPair } from "./redis-pair.js";
