import { describe, expect, it } from "vitest";
import { create, hash, idOf, login, rotation } from "../../testing/session-store/world.js";
import { Keys } from "./keys.js";
import { commandCalls, LONG_MS, type NearWorld, setUpNear, warm } from "./near.test.support.js";
import { createRedisSessionStore } from "./session-store.js";
import { until } from "./until.test.support.js";

const id = idOf("a", "s");
const long = { idleMs: LONG_MS, absoluteMs: 2 * LONG_MS, subject: "s" };
const a = login("a", { ...long, data: { n: 1, list: [1] } });
const load = ({ store }: Pick<NearWorld, "store">, token = "a") => store.load(id, hash(token), { touch: true });

describe("a session that the near cache knows", () => {
  it("is loaded without a command", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    const before = await commandCalls(world.server);
    for (let n = 0; n < 1_000; n += 1) expect(await load(world)).toMatchObject({ id, data: { n: 1 } });
    expect(await world.store.loadById(id)).toMatchObject({ id });
    const after = new Map(await commandCalls(world.server));
    // The question itself.
    after.set("info", before.get("info") ?? 0);
    expect(after).toEqual(new Map(before));
  });

  it("is handed out as a copy that nobody else has", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, { ...a, signIn: { level: 1, methods: ["pwd"] }, device: { label: "phone" } });
    await warm(world.store, id, "a");
    const [first, untouched] = [await load(world), await load(world)];
    Object.assign((first as unknown as { data: { list: number[] } }).data.list, [9, 9]);
    Object.assign((first as unknown as { device: object }).device, { label: "other" });
    expect(await load(world)).toEqual(untouched);
  });

  it("is asked for in Redis with another token than the current one", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    expect(await load(world, "wrong")).toBeUndefined();
    await world.peer.rotate(id, rotation("a", "b", 60_000));
    await warm(world.store, id, "b");
    expect(await load(world, "a")).toMatchObject({ seed: "seed-of-b" });
  });

  it("is touched when that is due", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    const { touchedAt } = await create(world.peer, { ...a, idleMs: 2_000 });
    await warm(world.store, id, "a");
    await until(async () => ((await load(world)) as { touchedAt: number }).touchedAt >= touchedAt + 200);
  });

  it("is dead from its deadline on, by the server's clock", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    const { expiresAt } = await create(world.peer, { ...a, idleMs: 2_000, absoluteMs: 2_000 });
    await warm(world.store, id, "a");
    // The absolute deadline, which no touch moves. Nothing tells of its end, so that only the cache's own knowledge of the clock is left.
    world.told.set({ partition: "replies" });
    for (let isOver = false; !isOver; ) {
      const [seconds, micros] = (await world.server.command("TIME")).split("\n").map(Number) as [number, number];
      isOver = seconds * 1_000 + micros / 1_000 >= expiresAt;
      const found = await world.store.loadById(id);
      if (isOver) expect(found).toBeUndefined();
    }
    world.told.calm();
  });
});

describe("what changes elsewhere is told", () => {
  const changes: Record<string, (world: NearWorld) => Promise<unknown>> = {
    revoke: ({ peer }) => peer.revoke(id),
    revokeSubject: ({ peer }) => peer.revokeSubject("s"),
    "revokeSubject but another": ({ peer }) => peer.revokeSubject("s", idOf("b", "s")),
    revokeAll: ({ peer }) => peer.revokeAll(),
    "a rotation without grace": ({ peer }) => peer.rotate(id, rotation("a", "b", 0)),
    "eviction by the limit": ({ peer }) =>
      peer.create(login("c", { ...long, limit: { max: 1, policy: "evict-oldest" } })),
    "reuse of a replaced token": async ({ peer }) => {
      await peer.rotate(id, rotation("a", "b", 1));
      await peer.rotate(id, rotation("b", "c", 1));
      await peer.load(id, hash("a"), { touch: false });
    },
    FLUSHALL: ({ server }) => server.command("FLUSHALL"),
    FLUSHDB: ({ server }) => server.command("FLUSHDB"),
    "eviction for memory": async ({ server }) => {
      await server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
      await server.command("CONFIG", "SET", "maxmemory", "1");
    },
    "a lost epoch": ({ server }) => server.command("DEL", `near:{${bucketIn(id)}}:e:${id.slice(0, 16)}`),
  };
  it.each(Object.keys(changes))("%s: the token is dead though nothing was waited for", async (name) => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    await changes[name]?.(world);
    await until(async () => (await world.store.load(id, hash("a"), { touch: false })) === undefined);
    // One load more: what was dead is not served again.
    expect(await world.store.load(id, hash("a"), { touch: false })).toBeUndefined();
  });

  it("a commit: the new data are loaded", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    await world.peer.commit(id, { set: { n: 2 } });
    await until(async () => (await world.store.loadById(id))?.data.n === 2);
    expect(world.store.nearCacheCounts()).toMatchObject({ resets: 0 });
    expect(world.store.nearCacheCounts()?.invalidations).toBeGreaterThan(0);
  });

  it("the end of a subject's other sessions leaves the one that stays", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await create(world.peer, login("b", long));
    await warm(world.store, id, "a");
    await warm(world.store, idOf("b", "s"), "b");
    await world.peer.revokeSubject("s", id);
    await until(async () => (await world.store.loadById(idOf("b", "s"))) === undefined);
    await warm(world.store, id, "a");
  });
});

describe("what this process changes", () => {
  const changes: Record<string, (world: NearWorld) => Promise<unknown>> = {
    revoke: ({ store }) => store.revoke(id),
    revokeSubject: ({ store }) => store.revokeSubject("s"),
    revokeAll: ({ store }) => store.revokeAll(),
    rotate: ({ store }) => store.rotate(id, rotation("a", "b", 0)),
    evict: ({ store }) => store.create(login("c", { ...long, limit: { max: 1, policy: "evict-oldest" } })),
  };
  it.each(Object.keys(changes))("it sees at once, also when Redis says nothing (%s)", async (name) => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    world.told.set({ partition: "replies" });
    await changes[name]?.(world);
    expect(await load(world)).toBeUndefined();
    world.told.calm();
  });

  it("it sees at once: a commit", async () => {
    const world = await setUpNear({ staleMs: LONG_MS });
    await create(world.peer, a);
    await warm(world.store, id, "a");
    world.told.set({ partition: "replies" });
    await world.store.commit(id, { set: { n: 2 } });
    expect(await load(world)).toMatchObject({ data: { n: 2 } });
    world.told.calm();
  });
});

it("does not keep an answer that was overtaken by the news of a change", async () => {
  const world = await setUpNear({ staleMs: LONG_MS });
  await create(world.peer, a);
  const reads = async () => (await commandCalls(world.server)).get("mget") ?? 0;
  const before = await reads();
  world.data.set({ partition: "replies" });
  const overtaken = world.store.loadById(id);
  await until(async () => (await reads()) > before);
  await world.peer.commit(id, { set: { n: 2 } });
  await world.near.catchUp();
  world.data.calm();
  expect(await overtaken).toMatchObject({ data: { n: 1 } });
  expect(await world.store.loadById(id)).toMatchObject({ data: { n: 2 } });
});

it("keeps no more sessions than it may, and those that were asked for last", async () => {
  const world = await setUpNear({ staleMs: LONG_MS, maxSessions: 10 });
  const names = Array.from({ length: 40 }, (_, n) => `a${n}`);
  for (const name of names) {
    await create(world.peer, login(name, { idleMs: LONG_MS, absoluteMs: LONG_MS }));
    await warm(world.store, idOf(name), name);
    expect(world.store.nearCacheCounts()?.sessions).toBeLessThanOrEqual(10);
  }
  const { hits } = world.store.nearCacheCounts() ?? { hits: 0 };
  for (const name of names.slice(-5)) await world.store.loadById(idOf(name));
  expect(world.store.nearCacheCounts()?.hits).toBe(hits + 5);
});

it("is refused for a cluster and for bounds that are none", () => {
  const url = "redis://127.0.0.1:1";
  const refused = { code: "config-invalid" };
  const make = (options: Parameters<typeof createRedisSessionStore>[0]) => () => createRedisSessionStore(options);
  expect(make({ url: [url, `${url}1`], nearCache: {} })).toThrow(expect.objectContaining(refused));
  for (const nearCache of [{ maxSessions: 1 }, { maxSessions: 2.5 }, { staleMs: 0 }, { staleMs: Number.NaN }])
    expect(make({ url, nearCache })).toThrow(expect.objectContaining(refused));
  expect(createRedisSessionStore({ url }).nearCacheCounts()).toBeNull();
});

function bucketIn(of: string): string {
  return /\{(\w+)\}/.exec(new Keys("").base(of))?.[1] as string;
}
