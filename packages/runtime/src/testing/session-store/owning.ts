import { expect } from "vitest";
import { context, create, expectDead, IDLE_MS, idOf, ids, load, login, type Test, together } from "./world.js";

/** Contexts and the instances that keep them alive and take them over. */
export function owning(test: Test): void {
  const LEASE_MS = 300;
  const LONG = { idleMs: IDLE_MS * 100 };

  test("a renewal moves the idle deadlines of all that the owner has, and of nothing else", async ({
    store,
    other,
    advance,
  }) => {
    for (const run of ["run:1", "run:2"]) await create(store, context(run, { owner: "i1" }));
    await create(store, context("run:3", { owner: "i2" }));
    const free = await create(store, context("run:4"));
    expect(free.owner).toBeNull();
    for (const owner of ["i1", "i2"]) await store.renewOwner(owner, IDLE_MS * 10, 0);
    for (let n = 1; n <= 3; n += 1) {
      await advance(IDLE_MS - 1);
      expect(await other.renewOwner("i1", IDLE_MS * 10, 10)).toEqual({ owned: 2, adopted: 0 });
      const touchedAt = free.createdAt + n * (IDLE_MS - 1);
      for (const run of ["run:1", "run:2"])
        expect(await store.loadById(run)).toMatchObject({
          ...{ owner: "i1", touchedAt, expiresAt: touchedAt + IDLE_MS, revision: 1 },
        });
    }
    for (const run of ["run:3", "run:4"]) await expectDead(store, run);
    await advance(IDLE_MS);
    for (const run of ["run:1", "run:2"]) await expectDead(store, run);
    expect(await store.renewOwner("i1", IDLE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
    await expectDead(other, "run:1");
  });

  test("a renewal moves no deadline beyond the absolute one, and none back", async ({ store, advance }) => {
    const bounded = await create(store, context("run:1", { owner: "i1", absoluteMs: IDLE_MS + 10 }));
    await advance(IDLE_MS - 1);
    await store.renewOwner("i1", IDLE_MS * 10, 10);
    expect(await store.loadById("run:1")).toMatchObject({ expiresAt: bounded.createdAt + IDLE_MS + 10 });
    await advance(11);
    await expectDead(store, "run:1");
  });

  test("what a dead owner had is adopted from the very end of its lease on, within the limit", async ({
    store,
    other,
    advance,
  }) => {
    const runs = ["run:1", "run:2", "run:3", "run:4", "run:5"];
    for (const id of runs) await create(store, context(id, { owner: "i1", ...LONG }));
    const { createdAt } = await create(store, context("free", LONG));
    await store.renewOwner("i1", LEASE_MS, 10);
    await advance(LEASE_MS - 1);
    expect(await other.renewOwner("i2", LEASE_MS * 10, 10)).toEqual({ owned: 0, adopted: 0 });
    await advance(1);
    expect(await other.renewOwner("i2", LEASE_MS * 10, 0)).toEqual({ owned: 0, adopted: 0 });
    expect(await other.renewOwner("i2", LEASE_MS * 10, 2)).toEqual({ owned: 2, adopted: 2 });
    expect(await store.renewOwner("i3", LEASE_MS * 10, 10)).toEqual({ owned: 3, adopted: 3 });
    expect(await other.renewOwner("i2", LEASE_MS * 10, 10)).toEqual({ owned: 2, adopted: 0 });
    // The dead one comes back: what was adopted is not its own any more.
    expect(await store.renewOwner("i1", LEASE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
    const owners = (await store.list({ kind: "context", limit: 10 })).items.map(({ owner }) => owner);
    expect(owners.sort()).toEqual(["i2", "i2", "i3", "i3", "i3", null].sort());
    // Adopting is activity.
    for (const id of runs) expect(await store.loadById(id)).toMatchObject({ touchedAt: createdAt + LEASE_MS });
    expect(await store.loadById("free")).toMatchObject({ owner: null, touchedAt: createdAt });
  });

  test("each context is adopted by one of many who renew at once", async (world) => {
    const { store } = world;
    for (let n = 0; n < 20; n += 1) await create(store, context(`run:${n}`, { owner: "dead", ...LONG }));
    await store.renewOwner("dead", LEASE_MS, 0);
    await world.advance(LEASE_MS);
    const renewed = await together(world, 10, (instance, n) => instance.renewOwner(`i${n}`, LEASE_MS, 3));
    expect(renewed.reduce((sum, { adopted }) => sum + adopted, 0)).toBe(20);
    for (const { owned, adopted } of renewed) expect(owned).toBe(adopted);
    for (const { adopted } of renewed) expect(adopted).toBeLessThanOrEqual(3);
    const counted = new Map((await store.owners()).map(({ owner, contexts }) => [owner, contexts]));
    expect([...counted.keys()]).not.toContain("dead");
    for (const [n, { owned }] of renewed.entries()) expect(counted.get(`i${n}`)).toBe(owned);
  });

  test("an owner that is late keeps what nobody adopted yet", async ({ store, advance }) => {
    await create(store, context("run:1", { owner: "i1", ...LONG }));
    await store.renewOwner("i1", LEASE_MS, 10);
    await advance(LEASE_MS * 2);
    expect(await store.renewOwner("i1", LEASE_MS, 10)).toEqual({ owned: 1, adopted: 0 });
    expect(await store.renewOwner("i2", LEASE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
  });

  test("what a retired owner has, or still saves, is adopted by the next who renews", async ({ store, other }) => {
    await create(store, context("run:1", { owner: "i1", ...LONG }));
    await create(store, context("run:2", LONG));
    await store.renewOwner("i1", LEASE_MS, 10);
    await store.retireOwner("i1");
    await store.retireOwner("i1");
    await store.retireOwner("nobody");
    await store.commit("run:2", {}, { owner: "i1" });
    await create(store, context("run:3", { owner: "i1", ...LONG }));
    // One that nobody heard of before is no better.
    await create(store, context("run:4", LONG));
    await store.commit("run:4", {}, { owner: "stranger" });
    expect((await other.owners()).map(({ owner }) => owner).sort()).toEqual(["i1", "stranger"]);
    expect(await other.renewOwner("i2", LEASE_MS, 10)).toEqual({ owned: 4, adopted: 4 });
    expect((await other.owners()).map(({ owner }) => owner)).toEqual(["i2"]);
    await store.retireOwner("i2");
    expect(await store.renewOwner("i2", LEASE_MS, 10)).toEqual({ owned: 4, adopted: 0 });
  });

  test("a commit may change the owner, and only when it takes effect", async ({ store, other }) => {
    for (const owner of ["i1", "i2", "i3"]) await store.renewOwner(owner, LEASE_MS, 10);
    await create(store, context("run:1", { owner: "i1", ...LONG }));
    expect(await store.commit("run:1", { set: { n: 1 } })).toMatchObject({ owner: "i1" });
    expect(await other.commit("run:1", {}, { owner: "i2" })).toMatchObject({ owner: "i2", revision: 3 });
    expect(await other.commit("run:1", {}, { owner: "i3", revision: 1 })).toBe("moved");
    expect(await store.loadById("run:1")).toMatchObject({ owner: "i2" });
    expect(await store.renewOwner("i1", LEASE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
    expect(await store.renewOwner("i2", LEASE_MS, 10)).toEqual({ owned: 1, adopted: 0 });
    expect(await store.commit("run:1", {}, { owner: "i3", returning: "head" })).toMatchObject({ owner: "i3" });
    expect(await store.renewOwner("i3", LEASE_MS, 10)).toEqual({ owned: 1, adopted: 0 });
  });

  test("nobody owns a login, whatever was said", async ({ store, advance }) => {
    const a = idOf("a");
    expect(await create(store, login("a", { owner: "i1" }))).toMatchObject({ owner: null });
    expect(await store.commit(a, {}, { owner: "i1" })).toMatchObject({ owner: null });
    await advance(IDLE_MS - 1);
    expect(await store.renewOwner("i1", LEASE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
    expect(await store.renewOwner("i2", LEASE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
    await advance(1);
    await expectDead(store, a, "a");
    expect(await load(store, a, "a")).toBeUndefined();
  });

  test("neither adopts nor revives nor counts what is dead", async ({ store, advance }) => {
    for (const id of ["run:1", "run:2", "run:3"]) await create(store, context(id, { owner: "i1" }));
    await create(store, context("run:4", { owner: "i2", ...LONG }));
    await store.renewOwner("i2", IDLE_MS * 10, 0);
    await store.revoke("run:1");
    expect((await store.owners()).map(({ owner, contexts }) => [owner, contexts]).sort()).toEqual([
      ["i1", 2],
      ["i2", 1],
    ]);
    await advance(IDLE_MS);
    expect(await store.renewOwner("i1", IDLE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
    await store.retireOwner("i1");
    expect(await store.renewOwner("i2", IDLE_MS, 10)).toEqual({ owned: 1, adopted: 0 });
    expect(ids(await store.list({ kind: "context", limit: 10 }))).toEqual(["run:4"]);
    expect(await store.owners()).toMatchObject([{ owner: "i2", contexts: 1 }]);
  });

  test("names the owners with a lease, and those without one whose contexts wait to be adopted", async ({
    store,
    other,
    advance,
  }) => {
    expect(await store.owners()).toEqual([]);
    const { createdAt } = await create(store, context("run:1", { owner: "dies", ...LONG }));
    await create(store, context("run:2", { owner: "never-renewed", ...LONG }));
    await create(store, context("run:3", LONG));
    for (const owner of ["dies", "dies-with-nothing"]) await store.renewOwner(owner, LEASE_MS, 0);
    await store.renewOwner("lives", LEASE_MS * 2, 0);
    await store.renewOwner("retired", LEASE_MS * 2, 0);
    await store.retireOwner("retired");
    await advance(LEASE_MS - 1);
    const names = async () => (await other.owners()).map(({ owner }) => owner).sort();
    expect(await names()).toEqual(["dies", "dies-with-nothing", "lives", "never-renewed"]);
    await advance(1);
    expect(await names()).toEqual(["dies", "lives", "never-renewed"]);
    for (const { owner, leaseExpiresAt, contexts } of await store.owners()) {
      expect([owner, contexts]).toEqual([owner, owner === "lives" ? 0 : 1]);
      if (owner === "lives") expect(leaseExpiresAt).toBe(createdAt + LEASE_MS * 2);
      else expect(leaseExpiresAt).toBeLessThanOrEqual(createdAt + LEASE_MS);
    }
    expect(await store.renewOwner("lives", LEASE_MS, 10)).toEqual({ owned: 2, adopted: 2 });
    expect(await other.owners()).toEqual([{ owner: "lives", leaseExpiresAt: createdAt + LEASE_MS * 2, contexts: 2 }]);
    await advance(LEASE_MS);
    expect(await store.owners()).toMatchObject([{ owner: "lives", contexts: 2 }]);
  });
}
