import { expect } from "vitest";
import { create, hash, IDLE_MS, login, type Test } from "./world.js";

/** Tokens that follow each other. */
export function rotating(test: Test): void {
  test("swaps the token at once: the old one is dead, id, data and deadline stay", async ({
    store,
    other,
    advance,
  }) => {
    const created = await create(store, login("a", { subject: "s", data: { n: 1 } }));
    await advance(IDLE_MS / 2);
    const rotated = await store.rotate(hash("a"), hash("b"), 0);
    expect(rotated).toMatchObject({
      id: "a",
      subject: "s",
      data: { n: 1 },
      absoluteExpiresAt: created.absoluteExpiresAt,
    });
    expect(rotated).toMatchObject({ touchedAt: created.createdAt + IDLE_MS / 2 });
    expect(await other.load(hash("a"), { touch: true })).toBeUndefined();
    expect(await other.load(hash("b"), { touch: false })).toEqual(rotated);
  });

  test("keeps the old token through its grace and not a millisecond longer", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 100);
    await advance(99);
    expect((await other.load(hash("a"), { touch: true }))?.id).toBe("a");
    expect((await other.load(hash("b"), { touch: true }))?.id).toBe("a");
    await advance(1);
    expect(await other.load(hash("a"), { touch: true })).toBeUndefined();
    expect((await other.load(hash("b"), { touch: true }))?.id).toBe("a");
  });

  test("refuses to rotate a token in its grace, after it, or one never issued", async ({ store, advance }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 100);
    expect(await store.rotate(hash("a"), hash("c"), 100)).toBe("not-found");
    await advance(100);
    expect(await store.rotate(hash("a"), hash("c"), 100)).toBe("not-found");
    expect(await store.rotate(hash("nobody"), hash("c"), 100)).toBe("not-found");
    expect(await store.load(hash("c"), { touch: true })).toBeUndefined();
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("a");
  });

  test("never lets a token two rotations back in, even in its grace", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 1_000);
    await store.rotate(hash("b"), hash("c"), 1_000);
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("a");
    await store.rotate(hash("c"), hash("d"), 0);
    expect(await store.load(hash("b"), { touch: true })).toBeUndefined();
    expect(await store.load(hash("c"), { touch: true })).toBeUndefined();
  });

  test("lets one of many concurrent rotations of a token win", async ({ store, other }) => {
    await create(store, login("a"));
    const attempts = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).rotate(hash("a"), hash(`next${n}`), 0),
    );
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result !== "not-found")).toHaveLength(1);
    const alive = await Promise.all(results.map((_, n) => store.load(hash(`next${n}`), { touch: false })));
    expect(alive.filter((record) => record !== undefined)).toHaveLength(1);
  });

  test("a rotation that is sent again finds the old token dead and harms nothing", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 0);
    expect(await store.rotate(hash("a"), hash("b"), 0)).toBe("not-found");
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("a");
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
  });

  test("takes over no token that another session has", async ({ store }) => {
    await create(store, login("a"));
    await create(store, login("b"));
    expect(await store.rotate(hash("a"), hash("b"), 0)).toBe("not-found");
    expect((await store.load(hash("a"), { touch: true }))?.id).toBe("a");
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("b");
  });
}
