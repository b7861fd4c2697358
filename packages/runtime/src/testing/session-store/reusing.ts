import { expect } from "vitest";
import { MAX_RETIRED } from "../../store/session-store.js";
import {
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
  type Test,
  together,
} from "./world.js";

/** A replaced token that is used again after its grace: somebody has a copy, so the session ends. */
export function reusing(test: Test): void {
  const a = idOf("a");
  const reused = { reused: { id: a, kind: "login", subject: null } };

  test("a load after the grace ends the session: it is said once, and it is dead on every instance", async ({
    store,
    other,
    advance,
  }) => {
    const id = idOf("a", "s");
    await create(store, login("a", { subject: "s" }));
    await create(store, login("b", { subject: "s" }));
    await rotateThrough(store, id, ["a", "a2"], GRACE_MS);
    await advance(GRACE_MS);
    expect(await other.load(id, hash("a"), { touch: true })).toEqual({ reused: { id, kind: "login", subject: "s" } });
    await expectDead(store, id, "a", "a2");
    await expectDead(other, id, "a", "a2");
    expect(await store.rotate(id, rotation("a2", "a3", GRACE_MS))).toBe("not-found");
    expect(await store.commit(id, {})).toBe("not-found");
    expect(await store.revoke(id)).toBeUndefined();
    expect(await load(store, idOf("b", "s"), "b")).toBeDefined();
    await advance(IDLE_MS);
    expect((await store.sweep(10, 1)).map((expired) => expired.id)).toEqual([idOf("b", "s")]);
  });

  test("a rotation after the grace ends it as well", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await rotateThrough(store, a, ["a", "b"], GRACE_MS);
    await advance(GRACE_MS);
    expect(await other.rotate(a, rotation("a", "c", GRACE_MS))).toEqual(reused);
    expect(await store.rotate(a, rotation("a", "c", GRACE_MS))).toBe("not-found");
    await expectDead(store, a, "a", "b", "c");
  });

  test("a load without a touch ends it as well", async ({ store, advance }) => {
    await create(store, login("a"));
    await rotateThrough(store, a, ["a", "b"], GRACE_MS);
    await advance(GRACE_MS);
    expect(await store.load(a, hash("a"), { touch: false })).toEqual(reused);
    await expectDead(store, a, "a", "b");
  });

  test("is said to one of many who come with the token at once", async (world) => {
    await create(world.store, login("a"));
    await rotateThrough(world.store, a, ["a", "b"], GRACE_MS);
    await world.advance(GRACE_MS);
    const results = await together(world, 20, async (store, n) =>
      n % 3
        ? store.load(a, hash("a"), { touch: true })
        : store.rotate(a, rotation("a", "c", GRACE_MS)).then((result) => (result === "not-found" ? undefined : result)),
    );
    expect(results.filter((result) => result !== undefined)).toEqual([reused]);
    await expectDead(world.other, a, "a", "b", "c");
  });

  test("a token two back is used again even while its grace would last", async ({ store }) => {
    await create(store, login("a"));
    await rotateThrough(store, a, ["a", "b", "c"], GRACE_MS);
    expect(await load(store, a, "b")).toMatchObject({ seed: "seed-of-c" });
    expect(await store.load(a, hash("a"), { touch: false })).toEqual(reused);
    await expectDead(store, a, "a", "b", "c");
  });

  test("a token is recognized up to the bound of tokens back, whether its grace ended before or not", async ({
    store,
    advance,
  }) => {
    for (const waitMs of [0, GRACE_MS]) {
      for (const back of [2, MAX_RETIRED]) {
        const name = `a-${waitMs}-${back}`;
        const id = idOf(name);
        await create(store, login(name));
        const tokens = [name, ...Array.from({ length: back }, (_, n) => `${name}-then-${n}`)];
        for (let n = 0; n < back; n += 1) {
          await rotateThrough(store, id, tokens.slice(n, n + 2), GRACE_MS);
          await advance(waitMs);
        }
        expect(await store.load(id, hash(name), { touch: false }), name).toMatchObject({ reused: { id } });
        await expectDead(store, id, ...tokens);
      }
    }
  });

  test("one that is older is unknown and ends nothing", async ({ store }) => {
    await create(store, login("a"));
    const tokens = ["a", ...Array.from({ length: MAX_RETIRED + 2 }, (_, n) => `then${n}`)];
    await rotateThrough(store, a, tokens, GRACE_MS);
    expect(await load(store, a, "a", true)).toBeUndefined();
    expect(await store.rotate(a, rotation("a", "next", GRACE_MS))).toBe("not-found");
    expect(await load(store, a, tokens.at(-1) ?? "")).toMatchObject({ id: a });
  });

  test("a rotation without a grace forgets no token whose grace was over before it", async ({ store, advance }) => {
    for (const name of ["a", "b", "c"]) {
      await create(store, login(name));
      await rotateThrough(store, idOf(name), [name, `${name}2`], GRACE_MS);
    }
    await rotateThrough(store, idOf("b"), ["b2", "b3"], GRACE_MS);
    await advance(GRACE_MS);
    // Of these the newest is in its grace when the rotation comes, and the one before is not.
    await rotateThrough(store, idOf("c"), ["c2", "c3"], GRACE_MS);
    await rotateThrough(store, idOf("c"), ["c3", "c4"], 0);
    expect(await load(store, idOf("c"), "c2")).toBeUndefined();
    expect(await store.load(idOf("c"), hash("c"), { touch: true })).toHaveProperty("reused");
    await expectDead(store, idOf("c"), "c4");
    await rotateThrough(store, a, ["a2", "a3"], 0);
    await rotateThrough(store, idOf("b"), ["b3", "b4"], 0);
    expect(await store.load(a, hash("a"), { touch: true })).toEqual(reused);
    expect(await store.load(idOf("b"), hash("b"), { touch: true })).toHaveProperty("reused");
    await expectDead(store, a, "a3");
    await expectDead(store, idOf("b"), "b4");
  });

  test("an unknown token never ends a session, also one of a rotation that lost or of another session", async ({
    store,
    other,
    advance,
  }) => {
    for (const name of ["a", "b"]) await create(store, login(name));
    await rotateThrough(store, a, ["a", "a2"], GRACE_MS);
    await other.rotate(a, rotation("a", "lost", GRACE_MS));
    await rotateThrough(store, idOf("b"), ["b", "b2"], GRACE_MS);
    await advance(GRACE_MS);
    for (const token of ["lost", "b", "b2", "nobody"]) {
      expect(await load(other, a, token, true)).toBeUndefined();
      expect(await other.rotate(a, rotation(token, "next", GRACE_MS))).toBe("not-found");
    }
    for (const tokenHash of ["", "null"]) expect(await store.load(a, tokenHash, { touch: true })).toBeUndefined();
    expect(await load(store, a, "a2")).toMatchObject({ id: a });
    expect(await load(store, idOf("b"), "b2")).toMatchObject({ id: idOf("b") });
  });
}
