import { expect } from "vitest";
import { create, expectDead, hash, IDLE_MS, login, type Test } from "./world.js";

/** Requests that overlap: a slow one that began before a fast one and ends after it. */
export function racing(test: Test): void {
  test("a slow request that only reads keeps what another wrote meanwhile", async ({ store, other, advance }) => {
    await create(store, login("a", { data: { b: 1 } }));
    const slow = await store.load(hash("a"), { touch: true });
    await advance(IDLE_MS / 2);
    await other.commit("a", { set: { a: 1 } });
    await store.load(hash("a"), { touch: true });
    expect(slow?.data).toEqual({ b: 1 });
    expect(await other.loadById("a")).toMatchObject({ data: { a: 1, b: 1 } });
  });

  test("two writers of different fields both keep their write", async ({ store, other }) => {
    await create(store, login("a"));
    await Promise.all([store.load(hash("a"), { touch: true }), other.load(hash("a"), { touch: true })]);
    await Promise.all([store.commit("a", { set: { a: 1 } }), other.commit("a", { set: { b: 2 } })]);
    expect(await store.loadById("a")).toMatchObject({ data: { a: 1, b: 2 }, revision: 3 });
  });

  test("many concurrent writers of different fields lose nothing", async ({ store, other }) => {
    await create(store, login("a"));
    const fields = Array.from({ length: 50 }, (_, n) => [`field${n}`, n] as const);
    await Promise.all(fields.map(([key, value], n) => (n % 2 ? store : other).commit("a", { set: { [key]: value } })));
    expect(await store.loadById("a")).toMatchObject({ data: Object.fromEntries(fields), revision: 51 });
  });

  test("a session that ends while a write is in flight stays dead", async ({ store, other }) => {
    await create(store, login("a", { data: { a: 1 } }));
    const writer = await store.load(hash("a"), { touch: true });
    await other.revoke("a");
    expect(await store.commit("a", { set: { a: 2 } })).toBe("not-found");
    expect(await store.commit("a", { set: { a: 2 } }, writer?.revision)).toBe("not-found");
    await expectDead(store, "a", hash("a"));
    await expectDead(other, "a", hash("a"));
  });

  test("a session that ends while a touching read is in flight stays dead", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS / 2);
    await Promise.all([
      store.load(hash("a"), { touch: true }),
      other.revoke("a"),
      store.load(hash("a"), { touch: true }),
    ]);
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    await expectDead(store, "a", hash("a"));
    await expectDead(other, "a", hash("a"));
  });

  test("a rotation while a write is in flight keeps the write and the old token dead", async ({ store, other }) => {
    await create(store, login("a"));
    const writer = await store.load(hash("a"), { touch: true });
    await other.rotate(hash("a"), hash("b"), 0);
    expect(await store.commit("a", { set: { a: 1 } }, writer?.revision)).toMatchObject({ data: { a: 1 } });
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    expect(await store.load(hash("b"), { touch: true })).toMatchObject({ id: "a", data: { a: 1 } });
  });
}
