import { expect } from "vitest";
import { create, expectDead, GRACE_MS, IDLE_MS, idOf, load, login, rotation, type Test, together } from "./world.js";

/** Requests that overlap: a slow one that began before a fast one and ends after it. */
export function racing(test: Test): void {
  const a = idOf("a");

  test("a slow request that only reads keeps what another wrote meanwhile", async ({ store, other, advance }) => {
    await create(store, login("a", { data: { b: 1 } }));
    const slow = await load(store, a, "a", true);
    await advance(IDLE_MS / 2);
    await other.commit(a, { set: { a: 1 } });
    await load(store, a, "a", true);
    expect(slow?.data).toEqual({ b: 1 });
    expect(await other.loadById(a)).toMatchObject({ data: { a: 1, b: 1 } });
  });

  test("two writers of different fields both keep their write", async ({ store, other }) => {
    await create(store, login("a"));
    await Promise.all([load(store, a, "a", true), load(other, a, "a", true)]);
    await Promise.all([store.commit(a, { set: { a: 1 } }), other.commit(a, { set: { b: 2 } })]);
    expect(await store.loadById(a)).toMatchObject({ data: { a: 1, b: 2 }, revision: 3 });
  });

  test("many concurrent writers of different fields lose nothing", async (world) => {
    await create(world.store, login("a"));
    await together(world, 50, (store, n) => store.commit(a, { set: { [`field${n}`]: n } }));
    const fields = Array.from({ length: 50 }, (_, n) => [`field${n}`, n] as const);
    expect(await world.store.loadById(a)).toMatchObject({ data: Object.fromEntries(fields), revision: 51 });
  });

  test("a session that ends while a write is in flight stays dead", async ({ store, other }) => {
    await create(store, login("a", { data: { a: 1 } }));
    const writer = await load(store, a, "a", true);
    await other.revoke(a);
    expect(await store.commit(a, { set: { a: 2 } })).toBe("not-found");
    expect(await store.commit(a, { set: { a: 2 } }, { revision: writer?.revision ?? 0 })).toBe("not-found");
    await expectDead(store, a, "a");
    await expectDead(other, a, "a");
  });

  test("an end gives every write that was acknowledged before it, and lets none in after it", async (world) => {
    await create(world.store, login("a", { data: { first: true } }));
    const results = await together(world, 21, async (store, n) => {
      if (n === 10) return store.revoke(a);
      return store.commit(a, { set: { [`field${n}`]: n } });
    });
    const written = results.flatMap((result, n) => (n !== 10 && result !== "not-found" ? [[`field${n}`, n]] : []));
    expect(results[10]).toMatchObject({ id: a, revision: written.length + 1 });
    expect(results[10]).toHaveProperty("data", { first: true, ...Object.fromEntries(written) });
    await expectDead(world.other, a, "a");
  });

  test("a session that ends while a touching read or a rotation is in flight stays dead", async ({
    store,
    other,
    advance,
  }) => {
    await create(store, login("a"));
    await advance(IDLE_MS / 2);
    await Promise.all([
      load(store, a, "a", true),
      store.rotate(a, rotation("a", "b", GRACE_MS)),
      other.revoke(a),
      store.rotate(a, rotation("a", "c", GRACE_MS)),
      load(store, a, "a", true),
    ]);
    await expectDead(store, a, "a", "b", "c");
    await expectDead(other, a, "a", "b", "c");
  });

  test("a rotation while a write is in flight keeps the write and the old token dead", async ({ store, other }) => {
    await create(store, login("a"));
    const writer = await load(store, a, "a", true);
    await other.rotate(a, rotation("a", "b", 0));
    const committed = await store.commit(a, { set: { a: 1 } }, { revision: writer?.revision ?? 0 });
    expect(committed).toMatchObject({ data: { a: 1 } });
    expect(await load(store, a, "a", true)).toBeUndefined();
    expect(await load(store, a, "b", true)).toMatchObject({ id: a, data: { a: 1 } });
  });
}
