import { expect } from "vitest";
import { MAX_DATA_BYTES } from "../../store/session-data.js";
import { context, create, hash, IDLE_MS, login, type Test } from "./world.js";

/** Deltas and revisions. */
export function committing(test: Test): void {
  test("sets and removes top-level fields and leaves the others alone", async ({ store, other }) => {
    await create(store, login("a", { data: { a: 1, b: { c: 1, d: 2 }, e: 5 } }));
    const committed = await other.commit("a", { set: { b: { c: 3 }, f: 6 }, unset: ["e", "absent"] });
    expect(committed).toMatchObject({ data: { a: 1, b: { c: 3 }, f: 6 }, revision: 2 });
    expect((await store.loadById("a"))?.data).toStrictEqual({ a: 1, b: { c: 3 }, f: 6 });
  });

  test("applies set after unset when a field is in both", async ({ store }) => {
    await create(store, login("a", { data: { a: 1 } }));
    expect(await store.commit("a", { unset: ["a"], set: { a: 2 } })).toMatchObject({ data: { a: 2 } });
  });

  test("counts the revision up by one with each commit, also an empty one, and with nothing else", async ({
    store,
    advance,
  }) => {
    await create(store, login("a"));
    expect(await store.commit("a", {})).toMatchObject({ revision: 2 });
    await advance(IDLE_MS / 2);
    expect(await store.load(hash("a"), { touch: true })).toMatchObject({ revision: 2 });
    expect(await store.rotate(hash("a"), hash("b"), 0)).toMatchObject({ revision: 2 });
    expect(await store.commit("a", { set: { a: 1 } })).toMatchObject({ revision: 3 });
  });

  test("commits at the revision given and says moved at any other", async ({ store, other }) => {
    await create(store, login("a"));
    expect(await store.commit("a", { set: { n: 1 } }, 1)).toMatchObject({ revision: 2 });
    expect(await other.commit("a", { set: { n: 2 } }, 1)).toBe("moved");
    expect(await other.commit("a", { set: { n: 3 } }, 3)).toBe("moved");
    expect(await store.loadById("a")).toMatchObject({ data: { n: 1 }, revision: 2 });
  });

  test("lets one of many writers at one revision win", async ({ store, other }) => {
    await create(store, login("a"));
    const attempts = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).commit("a", { set: { winner: n } }, 1),
    );
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result === "moved")).toHaveLength(19);
    expect(await store.loadById("a")).toMatchObject({ revision: 2 });
  });

  test("says not-found for a session that never was, whatever the revision", async ({ store }) => {
    expect(await store.commit("a", { set: { a: 1 } })).toBe("not-found");
    expect(await store.commit("a", { set: { a: 1 } }, 1)).toBe("not-found");
    expect(await store.loadById("a")).toBeUndefined();
  });

  test("bounds the data that results, not only the delta", async ({ store }) => {
    const half = "x".repeat(MAX_DATA_BYTES.login / 2);
    const tooLarge = { code: "payload-too-large" };
    await expect(store.create(login("a", { data: { half, other: half } }))).rejects.toMatchObject(tooLarge);
    await create(store, login("a", { data: { half } }));
    await expect(store.commit("a", { set: { other: half } })).rejects.toMatchObject(tooLarge);
    expect(await store.loadById("a")).toMatchObject({ data: { half }, revision: 1 });
    expect(await store.commit("a", { set: { other: half }, unset: ["half"] })).toMatchObject({ revision: 2 });
    await create(store, context("run", { data: { half, other: half } }));
  });
}
