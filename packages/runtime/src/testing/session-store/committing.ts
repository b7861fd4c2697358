import { expect } from "vitest";
import { MAX_DATA_BYTES } from "../../store/session-data.js";
import { context, create, IDLE_MS, idOf, load, login, rotation, type Test, together } from "./world.js";

/** Deltas and revisions. */
export function committing(test: Test): void {
  const a = idOf("a");

  test("sets and removes top-level fields and leaves the others alone", async ({ store, other }) => {
    await create(store, login("a", { data: { a: 1, b: { c: 1, d: 2 }, e: 5 } }));
    const committed = await other.commit(a, { set: { b: { c: 3 }, f: 6 }, unset: ["e", "absent"] });
    expect(committed).toMatchObject({ data: { a: 1, b: { c: 3 }, f: 6 }, revision: 2 });
    expect((await store.loadById(a))?.data).toStrictEqual({ a: 1, b: { c: 3 }, f: 6 });
  });

  test("applies set after unset when a field is in both", async ({ store }) => {
    await create(store, login("a", { data: { a: 1 } }));
    expect(await store.commit(a, { unset: ["a"], set: { a: 2 } })).toMatchObject({ data: { a: 2 } });
  });

  test("gives all of the session as it is stored, or all but its data when asked for the head", async ({
    store,
    other,
    advance,
  }) => {
    await create(store, login("a", { subject: "s", data: { n: 1 }, signIn: { level: 1 }, device: { ip: "::1" } }));
    const id = idOf("a", "s");
    await advance(IDLE_MS / 2);
    const record = await store.commit(id, { set: { m: 2 } });
    expect(record).toEqual(await other.loadById(id));
    expect(record).toMatchObject({ data: { n: 1, m: 2 } });
    await advance(IDLE_MS / 2);
    const head = await other.commit(id, { set: { k: 3 } }, { returning: "head" });
    expect(head).toEqual({ ...(await store.loadById(id)), data: {} });
    expect(head).toMatchObject({ revision: 3 });
    expect(await store.loadById(id)).toMatchObject({ data: { n: 1, m: 2, k: 3 } });
    expect(await store.commit(id, {}, { returning: "record" })).toMatchObject({ data: { n: 1, m: 2, k: 3 } });
  });

  test("counts the revision up by one with each commit, also an empty one, and with nothing else", async ({
    store,
    advance,
  }) => {
    await create(store, login("a"));
    expect(await store.commit(a, {})).toMatchObject({ revision: 2 });
    await advance(IDLE_MS / 2);
    expect(await load(store, a, "a", true)).toMatchObject({ revision: 2 });
    expect(await store.rotate(a, rotation("a", "b", 0))).toMatchObject({ session: { revision: 2 } });
    expect(await store.commit(a, { set: { a: 1 } })).toMatchObject({ revision: 3 });
  });

  test("commits at the revision given and says moved at any other", async ({ store, other }) => {
    await create(store, login("a"));
    expect(await store.commit(a, { set: { n: 1 } }, { revision: 1 })).toMatchObject({ revision: 2 });
    expect(await other.commit(a, { set: { n: 2 } }, { revision: 1 })).toBe("moved");
    expect(await other.commit(a, { set: { n: 3 } }, { revision: 3, returning: "head" })).toBe("moved");
    expect(await store.loadById(a)).toMatchObject({ data: { n: 1 }, revision: 2 });
  });

  test("lets one of many writers at one revision win", async (world) => {
    await create(world.store, login("a"));
    const results = await together(world, 20, (store, n) => store.commit(a, { set: { winner: n } }, { revision: 1 }));
    expect(results.filter((result) => result === "moved")).toHaveLength(19);
    const winner = results.findIndex((result) => result !== "moved");
    expect(await world.store.loadById(a)).toMatchObject({ data: { winner }, revision: 2 });
  });

  test("says not-found for a session that never was, whatever the revision", async ({ store }) => {
    expect(await store.commit(a, { set: { a: 1 } })).toBe("not-found");
    expect(await store.commit(a, { set: { a: 1 } }, { revision: 1 })).toBe("not-found");
    expect(await store.commit("run:1", { set: { a: 1 } }, { owner: "i1" })).toBe("not-found");
    expect(await store.loadById(a)).toBeUndefined();
  });

  test("bounds the data that results, not only the delta", async ({ store }) => {
    const half = "x".repeat(MAX_DATA_BYTES.login / 2);
    const tooLarge = { code: "payload-too-large" };
    await expect(store.create(login("a", { data: { half, other: half } }))).rejects.toMatchObject(tooLarge);
    await create(store, login("a", { data: { half } }));
    await expect(store.commit(a, { set: { other: half } })).rejects.toMatchObject(tooLarge);
    expect(await store.loadById(a)).toMatchObject({ data: { half }, revision: 1 });
    expect(await store.commit(a, { set: { other: half }, unset: ["half"] })).toMatchObject({ revision: 2 });
    await create(store, context("run:1", { data: { half, other: half } }));
  });
}
