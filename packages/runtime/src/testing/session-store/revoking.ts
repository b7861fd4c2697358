import { expect } from "vitest";
import { create, expectDead, hash, login, type Test } from "./world.js";

/** Sessions that are ended before their time. */
export function revoking(test: Test): void {
  test("ends a session once, for token and id, on every instance", async ({ store, other }) => {
    await create(store, login("a"));
    await create(store, login("b"));
    expect(await store.revoke("a")).toBe(true);
    expect(await other.revoke("a")).toBe(false);
    expect(await store.revoke("unknown")).toBe(false);
    await expectDead(other, "a", hash("a"));
    expect(await store.loadById("b")).toBeDefined();
  });

  test("ends the tokens of a grace as well, and lets no rotation revive them", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 1_000);
    await store.revoke("a");
    await expectDead(store, "a", hash("a"));
    await expectDead(store, "a", hash("b"));
    expect(await store.rotate(hash("b"), hash("c"), 1_000)).toBe("not-found");
    expect(await store.rotate(hash("a"), hash("c"), 1_000)).toBe("not-found");
    await expectDead(store, "a", hash("c"));
  });

  test("ends all sessions of a subject, says how many, and touches nobody else's", async ({ store, other }) => {
    for (const id of ["a1", "a2", "a3"]) await create(store, login(id, { subject: "alice" }));
    await create(store, login("b1", { subject: "alice:b" }));
    await create(store, login("n1", { subject: null }));
    await store.rotate(hash("a3"), hash("a3 next"), 1_000);
    await store.revoke("a1");
    expect(await other.revokeSubject("alice")).toBe(2);
    expect(await store.revokeSubject("alice")).toBe(0);
    expect(await store.revokeSubject("nobody")).toBe(0);
    for (const id of ["a1", "a2", "a3"]) await expectDead(store, id, hash(id));
    await expectDead(store, "a3", hash("a3 next"));
    expect(await store.loadById("b1")).toBeDefined();
    expect(await store.loadById("n1")).toBeDefined();
  });

  test("ends sessions of a subject that are created while the call is under way", async ({ store, other }) => {
    await create(store, login("before", { subject: "s" }));
    const revoking = store.revokeSubject("s");
    const during = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).create(login(`d${n}`, { subject: "s" })),
    );
    const [revoked, ...created] = await Promise.all([revoking, ...during]);
    expect(created.every((session) => session !== "exists")).toBe(true);
    expect(revoked).toBe(21);
    for (let n = 0; n < 20; n += 1) await expectDead(other, `d${n}`, hash(`d${n}`));
    expect((await store.list({ subject: "s", limit: 50 })).items).toEqual([]);
  });

  test("lets a subject sign in again after all its sessions ended", async ({ store, other }) => {
    await create(store, login("a", { subject: "s" }));
    for (let n = 0; n < 3; n += 1) {
      await store.revokeSubject("s");
      await create(other, login(`again${n}`, { subject: "s" }));
      expect(await store.load(hash(`again${n}`), { touch: true })).toMatchObject({ id: `again${n}`, subject: "s" });
    }
    await expectDead(store, "a", hash("a"));
    expect((await store.list({ subject: "s", limit: 10 })).items).toHaveLength(1);
  });

  test("a write, touch or rotation in flight revives no session of a revoked subject", async ({ store, other }) => {
    await create(store, login("a", { subject: "s" }));
    await Promise.all([
      other.revokeSubject("s"),
      store.commit("a", { set: { a: 1 } }),
      store.load(hash("a"), { touch: true }),
      store.rotate(hash("a"), hash("b"), 1_000),
    ]);
    expect(await store.commit("a", { set: { a: 1 } })).toBe("not-found");
    await expectDead(store, "a", hash("a"));
    await expectDead(store, "a", hash("b"));
  });
}
