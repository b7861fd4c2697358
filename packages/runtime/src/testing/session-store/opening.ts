import { expect } from "vitest";
import { create, hash, login, type Test } from "./world.js";

/** Opening, closing, and what survives it. */
export function opening(test: Test): void {
  test("opens twice as once and answers a ping", async ({ store }) => {
    await store.open();
    await store.ping();
  });

  test("refuses every call after close, and closes twice as once", async ({ store }) => {
    await store.close();
    await store.close();
    const closed = { code: "store-unavailable" };
    await expect(store.ping()).rejects.toMatchObject(closed);
    await expect(store.create(login("a"))).rejects.toMatchObject(closed);
    await expect(store.load(hash("a"), { touch: true })).rejects.toMatchObject(closed);
    await expect(store.loadById("a")).rejects.toMatchObject(closed);
    await expect(store.commit("a", {})).rejects.toMatchObject(closed);
    await expect(store.rotate(hash("a"), hash("b"), 0)).rejects.toMatchObject(closed);
    await expect(store.revoke("a")).rejects.toMatchObject(closed);
    await expect(store.revokeSubject("a")).rejects.toMatchObject(closed);
    await expect(store.list({ limit: 1 })).rejects.toMatchObject(closed);
    await expect(store.sweep(1)).rejects.toMatchObject(closed);
  });

  test("keeps sessions, their tokens, revisions and deadlines when it is opened anew", async ({
    store,
    advance,
    reopen,
    skip,
  }) => {
    if (!reopen) return skip("its sessions end with the process");
    const created = await create(store, login("a", { subject: "s", data: { n: 1 } }));
    await store.commit("a", { set: { m: 2 } });
    await create(store, login("gone", { subject: "t" }));
    await store.revokeSubject("t");
    const before = await store.loadById("a");
    const reopened = await reopen();
    expect(await reopened.load(hash("a"), { touch: false })).toEqual(before);
    expect(await reopened.loadById("gone")).toBeUndefined();
    await advance(created.expiresAt - created.createdAt);
    expect(await reopened.load(hash("a"), { touch: true })).toBeUndefined();
  });
}
