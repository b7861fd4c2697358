import { expect } from "vitest";
import { context, create, hash, IDLE_MS, login, type Test } from "./world.js";

/** Deleting what expired. */
export function sweeping(test: Test): void {
  test("deletes and returns each expired session once, in bounded batches, and no live one", async ({
    store,
    other,
    advance,
  }) => {
    for (let n = 0; n < 7; n += 1) await create(store, login(`s${n}`, { data: { n } }));
    await create(store, login("live", { idleMs: IDLE_MS + 1 }));
    expect(await store.sweep(10)).toEqual([]);
    await advance(IDLE_MS);
    const batches = [await store.sweep(3), await other.sweep(3), await store.sweep(3), await other.sweep(3)];
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 1, 0]);
    const swept = batches.flat();
    expect(swept.map(({ id }) => id).sort()).toEqual(["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
    expect(swept.every(({ id, data }) => id === `s${String(data.n)}`)).toBe(true);
    expect(await store.loadById("live")).toBeDefined();
  });

  test("hands each expired session to one of many concurrent sweeps", async ({ store, other, advance }) => {
    for (let n = 0; n < 20; n += 1) await create(store, login(`s${n}`));
    await advance(IDLE_MS);
    const batches = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? store : other).sweep(4)));
    const swept = batches.flat().map(({ id }) => id);
    expect(swept).toHaveLength(20);
    expect(new Set(swept).size).toBe(20);
  });

  test("judges by the stored deadline: a session touched in time is not swept", async ({ store, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS - 1);
    await store.load(hash("a"), { touch: true });
    await advance(1);
    expect(await store.sweep(10)).toEqual([]);
    expect(await store.load(hash("a"), { touch: true })).toBeDefined();
  });

  test("returns no session that was revoked, and still those that expired before", async ({ store, advance }) => {
    await create(store, login("expired", { subject: "s" }));
    await advance(IDLE_MS);
    await create(store, login("one"));
    await create(store, login("all", { subject: "s" }));
    await store.revoke("one");
    await store.revokeSubject("s");
    await advance(IDLE_MS);
    expect((await store.sweep(10)).map(({ id }) => id)).toEqual(["expired"]);
  });

  test("sweeps contexts as well", async ({ store, advance }) => {
    await create(store, context("run"));
    await advance(IDLE_MS);
    expect(await store.sweep(10)).toMatchObject([{ id: "run", kind: "context" }]);
  });
}
