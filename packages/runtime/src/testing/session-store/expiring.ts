import { expect } from "vitest";
import {
  ABSOLUTE_MS,
  context,
  create,
  expectDead,
  GRACE_MS,
  IDLE_MS,
  idOf,
  load,
  login,
  rotation,
  type Test,
} from "./world.js";

/** The idle and the absolute deadline, to the millisecond. */
export function expiring(test: Test): void {
  const a = idOf("a");

  test("lives up to the idle deadline and is dead from its very millisecond on", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS - 1);
    expect(await load(store, a, "a")).toBeDefined();
    expect(await store.loadById(a)).toBeDefined();
    await advance(1);
    await expectDead(store, a, "a");
    await expectDead(other, a, "a");
  });

  test("a touch moves the idle deadline to one idle time from now", async ({ store, other, advance }) => {
    const created = await create(store, login("a"));
    await advance(IDLE_MS - 1);
    const touched = await load(store, a, "a", true);
    expect(touched?.touchedAt).toBe(created.createdAt + IDLE_MS - 1);
    expect(touched?.expiresAt).toBe(created.createdAt + IDLE_MS - 1 + IDLE_MS);
    await advance(IDLE_MS - 1);
    expect(await load(other, a, "a")).toEqual(touched);
    await advance(1);
    await expectDead(store, a, "a");
  });

  test("reading without a touch, or by id, moves nothing", async ({ store, advance }) => {
    const created = await create(store, login("a"));
    await advance(IDLE_MS - 1);
    expect(await load(store, a, "a")).toEqual(created);
    expect(await store.loadById(a)).toEqual(created);
    await store.list({ limit: 10 });
    await advance(1);
    await expectDead(store, a, "a");
  });

  test("a touch writes nothing before a tenth of the idle time has passed", async ({ store, other, advance }) => {
    const created = await create(store, login("a"));
    await advance(IDLE_MS / 10 - 1);
    expect(await load(store, a, "a", true)).toEqual(created);
    await advance(1);
    const touched = await load(store, a, "a", true);
    expect(touched?.touchedAt).toBe(created.createdAt + IDLE_MS / 10);
    expect(await other.loadById(a)).toEqual(touched);
  });

  test("a commit is activity: it moves the idle deadline, also of a context without a token", async ({
    store,
    advance,
  }) => {
    await create(store, login("a"));
    await create(store, context("run:1"));
    for (let n = 1; n <= 3; n += 1) {
      await advance(IDLE_MS - 1);
      expect(await store.commit(a, { set: { n } })).toMatchObject({ data: { n } });
      expect(await store.commit("run:1", { set: { n } }, { returning: "head" })).toMatchObject({ revision: n + 1 });
    }
    await advance(IDLE_MS);
    await expectDead(store, a, "a");
    expect(await store.loadById("run:1")).toBeUndefined();
  });

  test("ends at the absolute deadline under constant activity of every kind", async ({ store, advance }) => {
    const created = await create(store, login("a"));
    const absoluteExpiresAt = created.createdAt + ABSOLUTE_MS;
    let token = "a";
    const stepMs = IDLE_MS / 2;
    for (let elapsedMs = stepMs; elapsedMs < ABSOLUTE_MS; elapsedMs += stepMs) {
      await advance(stepMs);
      const next = `a at ${elapsedMs}`;
      const graceMs = elapsedMs % IDLE_MS ? GRACE_MS : 0;
      const loaded = await load(store, a, token, true);
      const committed = await store.commit(a, { set: { elapsedMs } });
      const rotated = await store.rotate(a, rotation(token, next, graceMs));
      for (const record of [loaded, committed]) expect(record).toMatchObject({ absoluteExpiresAt });
      expect(rotated).toMatchObject({ session: { absoluteExpiresAt } });
      token = next;
    }
    expect((await store.loadById(a))?.expiresAt).toBe(absoluteExpiresAt);
    await advance(stepMs - 1);
    expect(await load(store, a, token, true)).toMatchObject({ expiresAt: absoluteExpiresAt });
    await advance(1);
    await expectDead(store, a, token);
  });

  test("a context has no absolute deadline", async ({ store, advance }) => {
    expect(await create(store, context("run:1"))).toMatchObject({ absoluteExpiresAt: null });
    for (let n = 0; n < 30; n += 1) {
      await advance(IDLE_MS - 1);
      expect(await store.commit("run:1", { set: { n } })).toMatchObject({ data: { n } });
    }
  });

  test("an expired session comes back by no commit, touch, rotation, reuse or sweep", async ({ store, advance }) => {
    const id = idOf("a", "s");
    await create(store, login("a", { subject: "s" }));
    await store.rotate(id, rotation("a", "b", GRACE_MS));
    await advance(IDLE_MS);
    expect(await store.commit(id, { set: { a: 1 } })).toBe("not-found");
    expect(await store.commit(id, { set: { a: 1 } }, { revision: 1 })).toBe("not-found");
    expect(await load(store, id, "b", true)).toBeUndefined();
    // What is used again is the token of a dead session: no theft.
    expect(await load(store, id, "a", true)).toBeUndefined();
    expect(await store.rotate(id, rotation("a", "c", IDLE_MS))).toBe("not-found");
    expect(await store.rotate(id, rotation("b", "c", IDLE_MS))).toBe("not-found");
    expect(await store.revoke(id)).toBeUndefined();
    expect(await store.revokeSubject("s")).toBe(0);
    expect(await store.revokeAll()).toBe(0);
    const swept = await store.sweep(10, 1);
    expect(swept).toHaveLength(1);
    await store.settle(swept);
    await expectDead(store, id, "a", "b", "c");
  });
}
