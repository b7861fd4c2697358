import { expect } from "vitest";
import {
  context,
  create,
  expectDead,
  GRACE_MS,
  hash,
  IDLE_MS,
  idOf,
  load,
  login,
  rotateThrough,
  rotation,
  seedOf,
  type Test,
  together,
} from "./world.js";

/** The grace of a replaced token: who still comes with it gets what its successor is made of. */
export function succeeding(test: Test): void {
  const a = idOf("a");

  test("loads the old token through its grace, with the seed of its successor, and not a millisecond longer", async ({
    store,
    other,
    advance,
  }) => {
    await create(store, login("a"));
    await store.rotate(a, rotation("a", "b", GRACE_MS));
    for (const waitMs of [0, GRACE_MS - 1]) {
      await advance(waitMs);
      expect(await load(store, a, "a")).toEqual({ ...(await load(store, a, "b")), seed: seedOf("b") });
      expect(await load(other, a, "a")).toMatchObject({ id: a, seed: seedOf("b") });
      expect(await load(other, a, "b")).not.toHaveProperty("seed");
    }
    await advance(1);
    expect(await store.load(a, hash("a"), { touch: false })).toEqual({
      reused: { id: a, kind: "login", subject: null },
    });
  });

  test("a token in its grace touches as any does, and moves its own grace by nothing", async ({ store, advance }) => {
    const created = await create(store, login("a"));
    const graceMs = IDLE_MS / 2;
    await store.rotate(a, rotation("a", "b", graceMs));
    await advance(graceMs - 1);
    const touched = await load(store, a, "a", true);
    expect(touched).toMatchObject({ touchedAt: created.createdAt + graceMs - 1, seed: seedOf("b") });
    expect((await store.loadById(a))?.touchedAt).toBe(touched?.touchedAt);
    await advance(1);
    expect(await store.load(a, hash("a"), { touch: true })).toHaveProperty("reused");
  });

  test("rotating a token in its grace gives the first rotation's seed and changes nothing", async ({
    store,
    other,
    advance,
  }) => {
    await create(store, login("a", { signIn: { level: 1 } }));
    await store.rotate(a, rotation("a", "b", GRACE_MS));
    await advance(GRACE_MS - 1);
    for (const again of [
      rotation("a", "c", GRACE_MS),
      rotation("a", "b", GRACE_MS, { seed: "another" }),
      rotation("a", "d", 0, { signIn: { level: 3 } }),
    ]) {
      const rotated = await other.rotate(a, again);
      expect(rotated).toMatchObject({ session: { id: a, signIn: { level: 1 } }, seed: seedOf("b") });
    }
    expect(await store.loadById(a)).toMatchObject({ signIn: { level: 1 } });
    for (const token of ["c", "d"]) expect(await load(store, a, token)).toBeUndefined();
    expect(await load(store, a, "b")).toMatchObject({ id: a });
    expect(await load(store, a, "a")).toMatchObject({ seed: seedOf("b") });
    await advance(1);
    expect(await store.rotate(a, rotation("a", "c", GRACE_MS))).toMatchObject({ reused: { id: a } });
  });

  test("of many concurrent rotations one wins, and all get its seed", async (world) => {
    const { store } = world;
    await create(store, login("a"));
    const results = await together(world, 20, (instance, n) => instance.rotate(a, rotation("a", `next${n}`, GRACE_MS)));
    const seeds = results.map((result) => (typeof result === "object" && "seed" in result ? result.seed : result));
    expect(new Set(seeds).size).toBe(1);
    const winners = [];
    for (let n = 0; n < 20; n += 1) if (await load(store, a, `next${n}`)) winners.push(seedOf(`next${n}`));
    expect(winners).toEqual([seeds[0]]);
    expect(await load(store, a, "a")).toMatchObject({ seed: seeds[0] });
  });

  test("no request with the old token is turned away while it is rotated", async (world) => {
    await create(world.store, login("a"));
    const loaded = await together(world, 30, async (store, n) => {
      if (n === 10) await store.rotate(a, rotation("a", "b", GRACE_MS));
      return load(store, a, "a", true);
    });
    expect(loaded.map((session) => session?.id)).toEqual(Array(30).fill(a));
    for (const session of loaded) expect([undefined, seedOf("b")]).toContain(session?.seed);
    expect(await load(world.store, a, "a")).toMatchObject({ seed: seedOf("b") });
  });

  test("a rotation without a grace kills the old token and those in their grace at once, as unknown", async ({
    store,
    other,
    advance,
  }) => {
    await create(store, login("a"));
    await store.rotate(a, rotation("a", "b", GRACE_MS));
    await advance(GRACE_MS - 1);
    await store.rotate(a, rotation("b", "c", 0));
    for (const waitMs of [0, 1, GRACE_MS]) {
      await advance(waitMs);
      for (const dead of ["a", "b"]) {
        expect(await other.load(a, hash(dead), { touch: true })).toBeUndefined();
        expect(await other.rotate(a, rotation(dead, "d", GRACE_MS))).toBe("not-found");
      }
    }
    // Requests that were under way at that moment are no theft: the session lives.
    expect(await load(store, a, "c")).toMatchObject({ id: a });
    await store.rotate(a, rotation("c", "d", GRACE_MS));
    for (const dead of ["a", "b"]) expect(await load(store, a, dead)).toBeUndefined();
    expect(await load(store, a, "d")).toMatchObject({ id: a });
  });

  test("a grace longer than the session ends with it, and a revocation ends it", async ({ store, advance }) => {
    for (const name of ["a", "b"]) await create(store, login(name));
    await rotateThrough(store, a, ["a", "a2"], IDLE_MS * 2);
    await rotateThrough(store, idOf("b"), ["b", "b2"], IDLE_MS * 2);
    await store.revoke(idOf("b"));
    await expectDead(store, idOf("b"), "b", "b2");
    await advance(IDLE_MS);
    await expectDead(store, a, "a", "a2");
  });

  test("a context has no token to load or rotate", async ({ store }) => {
    await create(store, context("run:1"));
    expect(await store.rotate("run:1", rotation("a", "b", GRACE_MS))).toBe("not-found");
    expect(await load(store, "run:1", "b")).toBeUndefined();
    expect(await store.loadById("run:1")).toBeDefined();
  });
}
