import { expect } from "vitest";
import { context, create, expectDead, hash, IDLE_MS, idOf, ids, load, login, type Test, together } from "./world.js";

/** How many sessions a subject may have at a time. */
export function limiting(test: Test): void {
  const deny = (max: number) => ({ max, policy: "deny" as const });
  const evict = (max: number) => ({ max, policy: "evict-oldest" as const });

  test("denies a login too many, stores nothing of it, and takes it once another ended", async ({
    store,
    other,
    advance,
  }) => {
    await create(store, login("a", { subject: "s", limit: deny(2) }));
    await create(other, login("b", { subject: "s", limit: deny(2) }));
    expect(await store.create(login("c", { subject: "s", limit: deny(2) }))).toBe("limit-reached");
    await expectDead(store, idOf("c", "s"), "c");
    for (const name of ["a", "b"]) expect(await load(store, idOf(name, "s"), name)).toBeDefined();
    await advance(IDLE_MS / 2);
    await load(store, idOf("a", "s"), "a", true);
    await advance(IDLE_MS / 2);
    await create(store, login("c", { subject: "s", limit: deny(2) }));
    await store.revoke(idOf("c", "s"));
    await create(store, login("d", { subject: "s", limit: deny(2) }));
    expect(await store.create(login("e", { subject: "s", limit: deny(2) }))).toBe("limit-reached");
  });

  test("evicts the oldest by creation, not by use, and names it", async ({ store, other, advance }) => {
    for (const name of ["a", "b", "c"]) {
      await create(store, login(name, { subject: "s", limit: evict(3) }));
      await advance(IDLE_MS / 10);
    }
    await load(store, idOf("a", "s"), "a", true);
    await store.commit(idOf("a", "s"), { set: { n: 1 } });
    const result = await other.create(login("d", { subject: "s", limit: evict(3) }));
    expect(result).toMatchObject({ session: { id: idOf("d", "s") } });
    expect(result).toHaveProperty("evicted", [{ id: idOf("a", "s"), kind: "login", subject: "s" }]);
    await expectDead(store, idOf("a", "s"), "a");
    expect(ids(await store.list({ subject: "s", limit: 10 }))).toEqual(["d", "c", "b"].map((name) => idOf(name, "s")));
    expect(await store.commit(idOf("a", "s"), { set: { n: 2 } })).toBe("not-found");
  });

  test("evicts as many as are too many when the limit became lower", async ({ store, advance }) => {
    for (const name of ["a", "b", "c", "d"]) {
      await create(store, login(name, { subject: "s" }));
      await advance(1);
    }
    const result = await store.create(login("e", { subject: "s", limit: evict(2) }));
    const evicted = typeof result === "string" ? [] : result.evicted.map(({ id }) => id);
    expect(evicted.sort()).toEqual(["a", "b", "c"].map((name) => idOf(name, "s")).sort());
    expect(ids(await store.list({ subject: "s", limit: 10 }))).toEqual([idOf("e", "s"), idOf("d", "s")]);
    const last = await store.create(login("f", { subject: "s", limit: evict(1) }));
    expect(typeof last === "string" ? last : last.evicted).toHaveLength(2);
  });

  test("counts neither contexts, nor what expired or was revoked, nor other subjects", async ({ store, advance }) => {
    await create(store, login("expired", { subject: "s" }));
    await advance(IDLE_MS);
    await create(store, login("revoked", { subject: "s" }));
    await store.revoke(idOf("revoked", "s"));
    await create(store, context(idOf("context", "s"), { subject: "s" }));
    await create(store, login("t", { subject: "s2" }));
    await create(store, login("n", { subject: null }));
    await create(store, login("a", { subject: "s", limit: deny(1) }));
    const result = await store.create(login("b", { subject: "s", limit: evict(1) }));
    expect(result).toHaveProperty("evicted", [{ id: idOf("a", "s"), kind: "login", subject: "s" }]);
    expect(await store.loadById(idOf("context", "s"))).toBeDefined();
    expect(await load(store, idOf("t", "s2"), "t")).toBeDefined();
    expect(await load(store, idOf("n"), "n")).toBeDefined();
    // What expired keeps its event.
    expect(await store.sweep(10, 1)).toMatchObject([{ id: idOf("expired", "s") }]);
  });

  test("says nothing for sessions without a subject", async ({ store }) => {
    await create(store, login("a"));
    for (const [name, limit] of [
      ["b", deny(1)],
      ["c", evict(1)],
    ] as const)
      expect(await store.create(login(name, { limit }))).toHaveProperty("evicted", []);
    expect((await store.list({ limit: 10 })).items).toHaveLength(3);
  });

  test("a creation that is refused evicts nobody", async ({ store }) => {
    for (const name of ["a", "b"]) await create(store, login(name, { subject: "s" }));
    const limit = evict(1);
    expect(await store.create(login("b", { subject: "s", limit, tokenHash: hash("c") }))).toBe("exists");
    const tooLarge = login("c", { subject: "s", limit, data: { text: "x".repeat(70_000) } });
    await expect(store.create(tooLarge)).rejects.toMatchObject({ code: "payload-too-large" });
    expect((await store.list({ subject: "s", limit: 10 })).items).toHaveLength(2);
  });

  test("denies all but as many as the limit of 50 creations at once", async (world) => {
    await create(world.store, login("first", { subject: "s" }));
    const results = await together(world, 50, (store, n) =>
      store.create(login(`s${n}`, { subject: "s", limit: deny(5) })),
    );
    expect(results.filter((result) => result === "limit-reached")).toHaveLength(46);
    expect((await world.store.list({ subject: "s", limit: 100 })).items).toHaveLength(5);
  });

  test("never leaves more than the limit of 50 creations at once, and names each evicted one once", async (world) => {
    const { store } = world;
    await create(store, login("bystander", { subject: "t" }));
    const results = await together(world, 50, async (instance, n) => {
      const result = await instance.create(login(`s${n}`, { subject: "s", limit: evict(5) }));
      const living = (await instance.list({ subject: "s", limit: 100 })).items.length;
      return { result, living };
    });
    for (const { living } of results) expect(living).toBeLessThanOrEqual(5);
    const evicted = results.flatMap(({ result }) => (typeof result === "string" ? [] : result.evicted));
    expect(evicted).toHaveLength(45);
    const left = ids(await store.list({ subject: "s", limit: 100 }));
    const all = Array.from({ length: 50 }, (_, n) => idOf(`s${n}`, "s"));
    expect([...evicted.map(({ id }) => id), ...left].sort()).toEqual(all.sort());
    expect(await store.loadById(idOf("bystander", "t"))).toBeDefined();
  });
}
