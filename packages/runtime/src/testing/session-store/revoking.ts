import { expect } from "vitest";
import {
  context,
  create,
  expectDead,
  IDLE_MS,
  idOf,
  ids,
  load,
  login,
  rotation,
  type Test,
  together,
} from "./world.js";

/** Sessions that are ended before their time. */
export function revoking(test: Test): void {
  const a = idOf("a");

  test("ends a session once, for token and id, on every instance, and says which", async ({ store, other }) => {
    const id = idOf("a", "s");
    await create(store, login("a", { subject: "s" }));
    await create(store, login("b"));
    await create(store, context("run:1"));
    await store.commit(id, { set: { a: 1 } });
    expect(await store.revoke(id)).toMatchObject({ id, kind: "login", subject: "s", data: { a: 1 }, revision: 2 });
    expect(await other.revoke(id)).toBeUndefined();
    expect(await store.revoke(idOf("unknown"))).toBeUndefined();
    expect(await other.revoke("run:1")).toMatchObject({ id: "run:1", kind: "context", subject: null });
    await expectDead(other, id, "a");
    await expectDead(store, "run:1");
    expect(await store.loadById(idOf("b"))).toBeDefined();
  });

  test("is said to one of many who revoke at once", async (world) => {
    await create(world.store, login("a"));
    const results = await together(world, 10, (store) => store.revoke(a));
    expect(results.filter((ended) => ended !== undefined)).toHaveLength(1);
  });

  test("ends the tokens of a grace as well, and lets no rotation revive them", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(a, rotation("a", "b", 1_000));
    await store.revoke(a);
    await expectDead(store, a, "a", "b");
    expect(await store.rotate(a, rotation("b", "c", 1_000))).toBe("not-found");
    expect(await store.rotate(a, rotation("a", "c", 1_000))).toBe("not-found");
    await expectDead(store, a, "c");
  });

  test("ends all sessions of a subject, says how many, and touches nobody else's", async ({ store, other }) => {
    for (const name of ["a1", "a2", "a3"]) await create(store, login(name, { subject: "alice" }));
    await create(store, login("b1", { subject: "alice:b" }));
    await create(store, login("n1", { subject: null }));
    await create(store, context("run:1"));
    await store.rotate(idOf("a3", "alice"), rotation("a3", "a3 next", 1_000));
    await store.revoke(idOf("a1", "alice"));
    expect(await other.revokeSubject("alice")).toBe(2);
    expect(await store.revokeSubject("alice")).toBe(0);
    expect(await store.revokeSubject("nobody")).toBe(0);
    for (const name of ["a1", "a2", "a3"]) await expectDead(store, idOf(name, "alice"), name);
    await expectDead(store, idOf("a3", "alice"), "a3 next");
    expect(await load(store, idOf("b1", "alice:b"), "b1")).toBeDefined();
    expect(await load(store, idOf("n1"), "n1")).toBeDefined();
    expect(await store.loadById("run:1")).toBeDefined();
  });

  test("ends all sessions of a subject but one", async ({ store, other }) => {
    for (const name of ["a", "b", "c"]) await create(store, login(name, { subject: "s" }));
    const kept = await load(store, idOf("b", "s"), "b");
    expect(await other.revokeSubject("s", idOf("b", "s"))).toBe(2);
    expect(await load(store, idOf("b", "s"), "b")).toEqual(kept);
    expect(ids(await store.list({ subject: "s", limit: 10 }))).toEqual([idOf("b", "s")]);
    for (const name of ["a", "c"]) await expectDead(store, idOf(name, "s"), name);
    expect(await store.revokeSubject("s", idOf("b", "s"))).toBe(0);
    // One that is not the subject's keeps nothing alive, and nothing of the other subject dies.
    await create(store, login("d", { subject: "t" }));
    expect(await store.revokeSubject("s", idOf("d", "t"))).toBe(1);
    expect(await load(store, idOf("d", "t"), "d")).toBeDefined();
  });

  test("ends whatever was created before the call, and what is created during it wholly or not at all", async (world) => {
    const { store, other } = world;
    const names = Array.from({ length: 20 }, (_, n) => `d${n}`);
    for (const name of ["b1", "b2"]) await create(store, login(name, { subject: "s" }));
    const begin = names.slice(0, 10).map((name) => create(other, login(name, { subject: "s" })));
    const revoking = store.revokeSubject("s");
    const rest = names.slice(10).map((name) => create(store, login(name, { subject: "s" })));
    const [revoked] = await Promise.all([revoking, ...begin, ...rest]);
    for (const name of ["b1", "b2"]) await expectDead(other, idOf(name, "s"), name);
    const listed = ids(await other.list({ subject: "s", limit: 50 }));
    for (const name of names) {
      const id = idOf(name, "s");
      if (!listed.includes(id)) await expectDead(other, id, name);
      else {
        expect(await load(other, id, name)).toEqual(await store.loadById(id));
        expect(await store.commit(id, { set: { alive: true } })).toMatchObject({ id, subject: "s" });
      }
    }
    expect(revoked).toBe(2 + names.length - listed.length);
    expect(await store.revokeSubject("s")).toBe(listed.length);
  });

  test("counts each session in one of many revocations of its subject at once", async (world) => {
    for (let n = 0; n < 10; n += 1) await create(world.store, login(`a${n}`, { subject: "s" }));
    const counts = await together(world, 6, (store) => store.revokeSubject("s"));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  test("lets a subject sign in again after all its sessions ended", async ({ store, other }) => {
    await create(store, login("a", { subject: "s" }));
    for (let n = 0; n < 3; n += 1) {
      await store.revokeSubject("s");
      await create(other, login(`again${n}`, { subject: "s" }));
      const id = idOf(`again${n}`, "s");
      expect(await load(store, id, `again${n}`, true)).toMatchObject({ id, subject: "s" });
    }
    await expectDead(store, idOf("a", "s"), "a");
    expect((await store.list({ subject: "s", limit: 10 })).items).toHaveLength(1);
  });

  test("a write, touch or rotation in flight revives no session of a revoked subject", async ({
    store,
    other,
    advance,
  }) => {
    const id = idOf("a", "s");
    await create(store, login("a", { subject: "s" }));
    await advance(IDLE_MS / 2);
    await Promise.all([
      other.revokeSubject("s"),
      store.commit(id, { set: { a: 1 } }),
      load(store, id, "a", true),
      store.rotate(id, rotation("a", "b", 1_000)),
    ]);
    expect(await store.commit(id, { set: { a: 1 } })).toBe("not-found");
    await expectDead(store, id, "a", "b");
  });

  test("ends every login of everybody, says how many, and leaves contexts", async ({ store, other, advance }) => {
    await create(store, login("expired", { idleMs: 1 }));
    await advance(1);
    for (const subject of ["s", "t", null]) await create(store, login("a", { subject }));
    await create(store, context("run:1", { owner: "i1" }));
    await create(store, context(idOf("run", "s"), { subject: "s" }));
    await store.rotate(a, rotation("a", "b", 1_000));
    expect(await other.revokeAll()).toBe(3);
    for (const subject of ["s", "t", null]) await expectDead(store, idOf("a", subject), "a", "b");
    expect(ids(await store.list({ kind: "context", limit: 10 })).sort()).toEqual([idOf("run", "s"), "run:1"].sort());
    expect(await store.revokeAll()).toBe(0);
    await create(store, login("a", { subject: "s" }));
    expect(await load(other, idOf("a", "s"), "a")).toBeDefined();
    // Expired before: not revoked.
    expect(await store.sweep(10, 1)).toMatchObject([{ id: idOf("expired") }]);
  });
}
