/** What every service does with its sessions, once more with a Redis server for them, and encrypted. */
import { type Redis, startRedis } from "@clean-arch/test-servers";
import { afterAll, beforeAll } from "vitest";

let server: Redis;
beforeAll(async () => {
  server = await startRedis();
  process.env.TEST_REDIS_URL = server.url;
}, 60_000);
afterAll(() => server?.remove());

await import("../integration/sessions.test.js");
