import { type Redis, startRedis } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { create, hash, idOf, login } from "../../testing/session-store/world.js";
import { openSessions } from "./own-prefix.test.support.js";
import { until } from "./until.test.support.js";

/** The contract's tests move the time themselves; these show that Redis' own clock and expiry do the same. */
let server: Redis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.remove());

it("is dead from the millisecond of its deadline on, by the server's clock, swept or not", async () => {
  const store = await openSessions({ url: server.url });
  const { expiresAt } = await create(store, login("a", { idleMs: 150 }));
  for (;;) {
    const before = await serverNow();
    const found = await store.loadById(idOf("a"));
    const after = await serverNow();
    if (after < expiresAt) expect(found).toBeDefined();
    if (before >= expiresAt) {
      expect(found).toBeUndefined();
      expect(await store.commit(idOf("a"), { set: { a: 1 } })).toBe("not-found");
      break;
    }
  }
  expect(await store.sweep(10, 1_000)).toMatchObject([{ id: idOf("a"), expiredAt: expiresAt }]);
  await store.close();
});

it("gives every key an end, so that nothing stays when nobody sweeps any more", async () => {
  const store = await openSessions({ url: server.url, prefix: "ends:" });
  await create(store, login("a", { subject: "s" }));
  const keys = (await server.command("KEYS", "ends:*")).split("\n");
  const endless = [];
  for (const key of keys) if (Number(await server.command("PEXPIRETIME", key)) < 0) endless.push(key.slice(-2));
  // Lists of a bucket have none: the next sweep of any instance clears them.
  expect(endless.sort()).toEqual([":d", ":l"]);
  await store.close();
});

it("touches by the server's clock, however far ahead this process's own is", async () => {
  let monotonic = 0;
  const clock = { now: () => 0, monotonic: () => monotonic, after: () => () => {}, soon: () => () => {} };
  const store = await openSessions({ url: server.url, clock });
  const created = await create(store, login("a", { idleMs: 60_000, absoluteMs: 60_000 }));
  monotonic += 3_600_000;
  expect(await store.load(idOf("a"), hash("a"), { touch: true })).toEqual(created);
  const busy = await create(store, login("b", { idleMs: 400 }));
  await until(async () => (await serverNow()) >= busy.createdAt + 40);
  monotonic += 3_600_000;
  const touched = (await store.load(idOf("b"), hash("b"), { touch: true })) as { touchedAt: number };
  expect(touched.touchedAt).toBeGreaterThanOrEqual(busy.createdAt + 40);
  await store.close();
});

async function serverNow(): Promise<number> {
  const [seconds, micros] = (await server.command("TIME")).split("\n").map(Number) as [number, number];
  return seconds * 1_000 + Math.floor(micros / 1_000);
}
