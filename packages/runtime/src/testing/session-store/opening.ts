import { expect } from "vitest";
import {
  context,
  create,
  expectDead,
  GRACE_MS,
  hash,
  IDLE_MS,
  idOf,
  load,
  login,
  rotation,
  type Test,
} from "./world.js";

/** Opening, closing, and what survives it. */
export function opening(test: Test): void {
  test("opens twice as once and answers a ping", async ({ store }) => {
    await store.open();
    await store.ping();
  });

  test("refuses every call after close, and closes twice as once", async ({ store }) => {
    await store.close();
    await store.close();
    const a = idOf("a");
    const calls: Record<string, () => Promise<unknown>> = {
      ping: () => store.ping(),
      create: () => store.create(login("a")),
      load: () => store.load(a, hash("a"), { touch: true }),
      loadById: () => store.loadById(a),
      commit: () => store.commit(a, {}),
      rotate: () => store.rotate(a, rotation("a", "b", 0)),
      revoke: () => store.revoke(a),
      revokeSubject: () => store.revokeSubject("s"),
      revokeAll: () => store.revokeAll(),
      list: () => store.list({ limit: 1 }),
      sweep: () => store.sweep(1, 1),
      settle: () => store.settle([{ id: a, kind: "login", subject: null, expiredAt: 1 }]),
      renewOwner: () => store.renewOwner("i", 1, 1),
      retireOwner: () => store.retireOwner("i"),
      owners: () => store.owners(),
    };
    for (const [method, call] of Object.entries(calls))
      await expect(call(), method).rejects.toMatchObject({ code: "store-unavailable" });
  });

  test("keeps sessions, their tokens, revisions and deadlines when it is opened anew", async ({
    store,
    advance,
    reopen,
    skip,
  }) => {
    if (!reopen) return skip("its sessions end with the process");
    const session = login("a", { subject: "s", data: { n: 1 }, signIn: { level: 2 }, device: { label: "phone" } });
    const created = await create(store, session);
    await store.commit(session.id, { set: { m: 2 } });
    await create(store, login("gone", { subject: "t" }));
    await store.revokeSubject("t");
    const before = await store.loadById(session.id);
    expect(before?.revision).toBe(2);
    const reopened = await reopen();
    expect(await load(reopened, session.id, "a")).toEqual(before);
    expect(await reopened.loadById(idOf("gone", "t"))).toBeUndefined();
    await advance(created.expiresAt - created.createdAt);
    await expectDead(reopened, session.id, "a");
  });

  test("keeps graces, replaced tokens, claims and owners when it is opened anew", async ({
    store,
    advance,
    reopen,
    skip,
  }) => {
    if (!reopen) return skip("its sessions end with the process");
    await create(store, login("expired", { idleMs: 1 }));
    await create(store, login("a"));
    await create(store, context("run:1", { owner: "i1" }));
    await store.renewOwner("i1", IDLE_MS / 2, 10);
    await store.rotate(idOf("a"), rotation("a", "b", GRACE_MS));
    await advance(1);
    expect(await store.sweep(10, IDLE_MS / 2)).toHaveLength(1);
    const reopened = await reopen();
    expect(await load(reopened, idOf("a"), "a")).toMatchObject({ seed: "seed-of-b" });
    expect(await reopened.sweep(10, IDLE_MS)).toEqual([]);
    expect(await reopened.renewOwner("i2", IDLE_MS, 10)).toEqual({ owned: 0, adopted: 0 });
    await advance(IDLE_MS / 2);
    expect(await reopened.load(idOf("a"), hash("a"), { touch: false })).toMatchObject({ reused: { id: idOf("a") } });
    expect(await reopened.sweep(10, IDLE_MS)).toMatchObject([{ id: idOf("expired") }]);
    expect(await reopened.renewOwner("i2", IDLE_MS, 10)).toEqual({ owned: 1, adopted: 1 });
  });
}
