import { expect } from "vitest";
import { ABSOLUTE_MS, context, create, expectDead, hash, IDLE_MS, login, type Test } from "./world.js";

/** The idle and the absolute deadline, to the millisecond. */
export function expiring(test: Test): void {
  test("lives up to the idle deadline and is dead from its very millisecond on", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS - 1);
    expect(await store.load(hash("a"), { touch: false })).toBeDefined();
    expect(await store.loadById("a")).toBeDefined();
    await advance(1);
    await expectDead(store, "a", hash("a"));
    await expectDead(other, "a", hash("a"));
  });

  test("a touch moves the idle deadline to one idle time from now", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS - 1);
    const touched = await store.load(hash("a"), { touch: true });
    expect(touched?.expiresAt).toBe((touched?.touchedAt ?? 0) + IDLE_MS);
    await advance(IDLE_MS - 1);
    expect(await other.load(hash("a"), { touch: false })).toEqual(touched);
    await advance(1);
    await expectDead(store, "a", hash("a"));
  });

  test("reading without a touch, or by id, moves nothing", async ({ store, advance }) => {
    const created = await create(store, login("a"));
    await advance(IDLE_MS - 1);
    expect(await store.load(hash("a"), { touch: false })).toEqual(created);
    expect(await store.loadById("a")).toEqual(created);
    await store.list({ limit: 10 });
    await advance(1);
    await expectDead(store, "a", hash("a"));
  });

  test("a touch writes nothing before a tenth of the idle time has passed", async ({ store, other, advance }) => {
    const created = await create(store, login("a"));
    await advance(IDLE_MS / 10 - 1);
    expect(await store.load(hash("a"), { touch: true })).toEqual(created);
    await advance(1);
    const touched = await store.load(hash("a"), { touch: true });
    expect(touched?.touchedAt).toBe(created.createdAt + IDLE_MS / 10);
    expect(await other.loadById("a")).toEqual(touched);
  });

  test("a commit is activity: it moves the idle deadline, also of a context without a token", async ({
    store,
    advance,
  }) => {
    await create(store, login("a"));
    await create(store, context("run"));
    for (let n = 1; n <= 3; n += 1) {
      await advance(IDLE_MS - 1);
      expect(await store.commit("a", { set: { n } })).toMatchObject({ data: { n } });
      expect(await store.commit("run", { set: { n } })).toMatchObject({ data: { n } });
    }
    await advance(IDLE_MS);
    await expectDead(store, "a", hash("a"));
    expect(await store.loadById("run")).toBeUndefined();
  });

  test("ends at the absolute deadline under constant activity of every kind", async ({ store, advance }) => {
    const created = await create(store, login("a"));
    let token = hash("a");
    const stepMs = IDLE_MS / 2;
    for (let elapsedMs = stepMs; elapsedMs < ABSOLUTE_MS; elapsedMs += stepMs) {
      await advance(stepMs);
      const next = hash(`a at ${elapsedMs}`);
      const seen = [
        await store.load(token, { touch: true }),
        await store.commit("a", { set: { elapsedMs } }),
        await store.rotate(token, next, 0),
      ];
      for (const record of seen) expect(record).toMatchObject({ absoluteExpiresAt: created.absoluteExpiresAt });
      token = next;
    }
    expect((await store.loadById("a"))?.expiresAt).toBe(created.absoluteExpiresAt);
    await advance(stepMs - 1);
    expect(await store.load(token, { touch: true })).toBeDefined();
    await advance(1);
    await expectDead(store, "a", token);
  });

  test("a context has no absolute deadline", async ({ store, advance }) => {
    expect(await create(store, context("run"))).toMatchObject({ absoluteExpiresAt: null });
    for (let n = 0; n < 30; n += 1) {
      await advance(IDLE_MS - 1);
      expect(await store.commit("run", { set: { n } })).toMatchObject({ data: { n } });
    }
  });

  test("an expired session comes back by no commit, touch, rotation or sweep", async ({ store, advance }) => {
    await create(store, login("a", { subject: "s" }));
    await advance(IDLE_MS);
    expect(await store.commit("a", { set: { a: 1 } })).toBe("not-found");
    expect(await store.commit("a", { set: { a: 1 } }, 1)).toBe("not-found");
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    expect(await store.rotate(hash("a"), hash("b"), IDLE_MS)).toBe("not-found");
    expect(await store.revoke("a")).toBe(false);
    expect(await store.revokeSubject("s")).toBe(0);
    await store.sweep(10);
    await expectDead(store, "a", hash("a"));
    await expectDead(store, "a", hash("b"));
  });
}
