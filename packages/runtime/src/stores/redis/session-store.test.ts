import { type Redis, type RedisCluster, startRedis, startRedisCluster } from "@clean-arch/test-servers";
import { afterAll, beforeAll } from "vitest";
import { sessionStoreContract } from "../../testing/session-store-contract.js";
import { openTimedSessions } from "./throwaway.test.support.js";

let server: Redis;
let cluster: RedisCluster;

beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
});
afterAll(async () => {
  await Promise.all([server.remove(), cluster.remove()]);
});

sessionStoreContract("redis", { open: () => openTimedSessions(server.url, [server]) });
sessionStoreContract("redis-cluster", { open: () => openTimedSessions(cluster.urls, cluster.nodes) });
