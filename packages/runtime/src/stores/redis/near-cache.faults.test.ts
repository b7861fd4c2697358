import { startRedis } from "@clean-arch/test-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemPorts } from "../../ports.js";
import { create, idOf, login } from "../../testing/session-store/world.js";
import { clientIds, LONG_MS, lastServed, makeNear, type NearWorld, setUpNear, warm } from "./near.test.support.js";
import { createRedisSessionStore } from "./session-store.js";
import { until } from "./until.test.support.js";

const STALE_MS = 400;
const id = idOf("a");
const a = login("a", { idleMs: LONG_MS, absoluteMs: LONG_MS });

describe("the bound of a revocation", () => {
  it("holds on three instances, each time", async () => {
    const world = await setUpNear({ staleMs: STALE_MS });
    const others = [1, 2].map(() => makeNear(world.server, world.server, { staleMs: STALE_MS }).store);
    onTestFinished(async () => void (await Promise.all(others.map((store) => store.close()))));
    for (const store of others) await store.open();
    const stores = [world.store, ...others];
    for (let n = 0; n < 30; n += 1) {
      const name = `a${n}`;
      await create(world.peer, login(name, { idleMs: LONG_MS, absoluteMs: LONG_MS }));
      for (const store of stores) await warm(store, idOf(name), name);
      const served = stores.map((store) => lastServed(store, idOf(name), name));
      await world.peer.revoke(idOf(name));
      const revokedAt = performance.now();
      for (const servedAt of await Promise.all(served)) expect(servedAt - revokedAt).toBeLessThan(STALE_MS);
    }
  });

  it("holds when what Redis tells goes nowhere, and nobody says so", async () => {
    const world = await revokeAfter(({ told }) => void told.silence());
    expect(world.servedAt - world.revokedAt).toBeLessThan(STALE_MS);
    // It was served after the revocation: the bound is what ended it.
    expect(world.servedAt).toBeGreaterThan(world.revokedAt);
  });

  it("holds when what Redis tells is late", async () => {
    const world = await revokeAfter(({ told }) => told.set({ partition: "replies" }));
    expect(world.servedAt - world.revokedAt).toBeLessThan(STALE_MS);
    expect(world.servedAt).toBeGreaterThan(world.revokedAt);
    world.told.calm();
  });

  it("holds when Redis has dropped the connection that reads, and with it what it read, and nobody says so", async () => {
    const world = await revokeAfter(async ({ server, data }) => {
      const [tracking] = await clientIds(server, "t");
      data.silence();
      await server.command("CLIENT", "KILL", "ID", tracking as string);
    });
    expect(world.servedAt - world.revokedAt).toBeLessThan(STALE_MS);
    expect(world.servedAt).toBeGreaterThan(world.revokedAt);
  });

  it("holds when the machine slept, and its monotonic clock with it", async () => {
    let sleptMs = 0;
    const { clock } = systemPorts;
    const world = await setUpNear({ staleMs: LONG_MS }, { ...clock, now: () => clock.now() + sleptMs });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    const { hits } = world.near.counts();
    sleptMs = LONG_MS;
    expect(await world.store.loadById(id)).toBeDefined();
    expect(world.near.counts().hits).toBe(hits);
  });
});

describe("a connection that is lost", () => {
  it.each(["data", "told"] as const)("empties the cache, which then tracks anew (%s)", async (lost) => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    const { resets } = world.near.counts();
    world[lost].reset();
    await until(() => world.near.counts().resets > resets);
    expect(world.near.counts().sessions).toBe(0);
    await warm(world.store, id, "a");
    await world.peer.revoke(id);
    await until(async () => (await world.store.loadById(id)) === undefined);
  });

  it("that came back in time serves nothing that was revoked meanwhile", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    world.told.refuse(true);
    world.told.reset();
    await until(() => world.near.counts().resets > 0);
    await world.peer.revoke(id);
    expect(await world.store.loadById(id)).toBeUndefined();
    world.told.calm();
    await create(world.peer, a);
    await warm(world.store, id, "a");
  });

  it("to a server that starts anew is made again, and sessions of before are none", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    await world.server.kill();
    await world.server.start();
    await until(() =>
      world.store.loadById(id).then(
        (found) => found === undefined,
        () => false,
      ),
    );
    await until(() =>
      create(world.peer, a).then(
        () => true,
        () => false,
      ),
    );
    await warm(world.store, id, "a");
  });
});

it("keeps nothing while its two connections end at different servers, and begins when they no longer do", async () => {
  const world = await setUpNear({ staleMs: LONG_MS });
  const elsewhere = await startRedis();
  onTestFinished(() => elsewhere.remove());
  await create(world.peer, a);
  // Beyond what either server has counted so far, a client here whose number the connection gets there.
  while (Number(await world.server.command("CLIENT", "ID")) < 100);
  const namesake = createRedisSessionStore({ url: world.server.url });
  onTestFinished(() => namesake.close());
  await namesake.open();
  const number = Math.max(...(await clientIds(world.server, "N")).slice(0, -1).map(Number));
  while (Number(await elsewhere.command("CLIENT", "ID")) < number - 1);
  const { connections } = world.told.counts;
  world.told.retarget(elsewhere.port);
  await until(() => world.told.counts.connections > connections);
  // It asked who is there, and listens.
  await until(async () => (await clientIds(elsewhere, "P")).length > 0);
  const { hits } = world.near.counts();
  for (let n = 0; n < 50; n += 1) expect(await world.store.loadById(id)).toBeDefined();
  expect(world.near.counts().hits).toBe(hits);
  world.told.retarget(world.server.port);
  await warm(world.store, id, "a");
});

it("is left out, with a warning, for a user who may not track, and sessions work", async () => {
  const server = await startRedis();
  onTestFinished(() => server.remove());
  await server.command("ACL", "SETUSER", "plain", "on", ">secret", "~*", "&*", "+@all", "-client|tracking");
  const warnings: string[] = [];
  const store = createRedisSessionStore({
    ...{ url: `redis://plain:secret@127.0.0.1:${server.port}`, nearCache: {} },
    logger: { debug() {}, info() {}, error() {}, warn: (_facts, message) => void warnings.push(message) },
  });
  onTestFinished(() => store.close());
  await store.open();
  await create(store, a);
  for (let n = 0; n < 5; n += 1) expect(await store.loadById(id)).toBeDefined();
  expect(store.nearCacheCounts()).toMatchObject({ hits: 0, sessions: 0 });
  expect(warnings).toContainEqual(expect.stringContaining("does not let this user track"));
});

it("leaves no connection behind, opened and closed twice, and caches again in between", async () => {
  const world = await setUpNear({ staleMs: STALE_MS });
  await create(world.peer, a);
  for (let n = 0; n < 2; n += 1) {
    await world.store.open();
    await warm(world.store, id, "a");
    await world.store.close();
    await expect(world.store.loadById(id)).rejects.toMatchObject({ code: "store-unavailable" });
    await until(() => world.data.connections + world.told.connections === 0);
    expect(world.near.counts().sessions).toBe(0);
  }
});

async function revokeAfter(fault: (world: NearWorld) => Promise<void> | void) {
  const world = await setUpNear({ staleMs: STALE_MS });
  await create(world.peer, a);
  await warm(world.store, id, "a");
  await fault(world);
  await world.peer.revoke(id);
  const revokedAt = performance.now();
  return { ...world, revokedAt, servedAt: await lastServed(world.store, id, "a") };
}
