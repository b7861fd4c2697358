import { type Redis, startRedis } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sessionStoreContract } from "../../testing/session-store-contract.js";
import { openTimedNearSessions } from "./throwaway.test.support.js";

let server: Redis;
let hits = 0;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.remove());

sessionStoreContract("redis with a near cache", {
  open: () =>
    openTimedNearSessions(server.url, [server], (more) => {
      hits += more;
    }),
});

it("was served from near caches all along", () => {
  expect(hits).toBeGreaterThan(100);
});
