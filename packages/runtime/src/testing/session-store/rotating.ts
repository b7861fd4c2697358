import { expect } from "vitest";
import { create, GRACE_MS, hash, IDLE_MS, idOf, load, login, rotation, seedOf, type Test, together } from "./world.js";

/** Tokens that follow each other. Their graces have a topic of their own. */
export function rotating(test: Test): void {
  const a = idOf("a");

  test("swaps the token at once: the old one is dead, id, data, revision and absolute deadline stay", async ({
    store,
    other,
    advance,
  }) => {
    const created = await create(store, login("a", { data: { n: 1 }, device: { label: "phone" } }));
    await store.commit(a, { set: { m: 2 } });
    await advance(IDLE_MS / 2);
    const rotated = await store.rotate(a, rotation("a", "b", 0));
    const now = created.createdAt + IDLE_MS / 2;
    const session = {
      ...{ ...created, data: { n: 1, m: 2 }, revision: 2 },
      ...{ touchedAt: now, rotatedAt: now, expiresAt: now + IDLE_MS },
    };
    expect(rotated).toEqual({ session, seed: seedOf("b") });
    expect(await load(other, a, "a", true)).toBeUndefined();
    expect(await load(other, a, "b")).toEqual(session);
    expect(await other.loadById(a)).toEqual(session);
  });

  test("only a rotation says when the token came to be", async ({ store, advance }) => {
    const { rotatedAt } = await create(store, login("a"));
    await advance(IDLE_MS / 2);
    expect(await load(store, a, "a", true)).toMatchObject({ rotatedAt });
    expect(await store.commit(a, {})).toMatchObject({ rotatedAt });
    const rotated = { session: { rotatedAt: rotatedAt + IDLE_MS / 2 } };
    expect(await store.rotate(a, rotation("a", "b", GRACE_MS))).toMatchObject(rotated);
    await advance(1);
    // In its grace: no rotation.
    expect(await store.rotate(a, rotation("a", "c", GRACE_MS))).toMatchObject(rotated);
  });

  test("without a grace, lets one of many concurrent rotations of a token win", async (world) => {
    await create(world.store, login("a"));
    const results = await together(world, 20, (store, n) => store.rotate(a, rotation("a", `next${n}`, 0)));
    expect(results.filter((result) => result !== "not-found")).toHaveLength(1);
    for (const [n, result] of results.entries()) {
      if (result !== "not-found") expect(result).toMatchObject({ session: { id: a }, seed: seedOf(`next${n}`) });
      expect((await load(world.store, a, `next${n}`))?.id).toBe(result === "not-found" ? undefined : a);
    }
  });

  test("a rotation without a grace that is sent again finds the old token dead and harms nothing", async ({
    store,
  }) => {
    await create(store, login("a"));
    await store.rotate(a, rotation("a", "b", 0));
    expect(await store.rotate(a, rotation("a", "b", 0))).toBe("not-found");
    expect(await load(store, a, "b", true)).toMatchObject({ id: a });
    expect(await load(store, a, "a", true)).toBeUndefined();
  });

  test("says not-found for a token never issued, an unknown session, and one without a token", async ({ store }) => {
    await create(store, login("a"));
    await create(store, login("b"));
    const unknown = [
      [a, "nobody"],
      [a, "b"],
      [idOf("nobody"), "a"],
      ["run:1", "a"],
    ] as const;
    for (const [id, from] of unknown) {
      expect(await store.rotate(id, rotation(from, "c", GRACE_MS))).toBe("not-found");
      expect(await load(store, id, "c", true)).toBeUndefined();
    }
    expect(await store.rotate(a, rotation("a", "c", 0, { oldTokenHash: "" }))).toBe("not-found");
    for (const name of ["a", "b"]) expect(await load(store, idOf(name), name, true)).toMatchObject({ id: idOf(name) });
  });

  test("two sessions rotate to the same hash and stay two", async ({ store }) => {
    await create(store, login("a"));
    await create(store, login("b"));
    await store.rotate(a, rotation("a", "b", 0));
    expect(await store.load(a, hash("b"), { touch: true })).toMatchObject({ id: a });
    expect(await store.load(idOf("b"), hash("b"), { touch: true })).toMatchObject({ id: idOf("b") });
  });
}
