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
  together,
} from "./world.js";

/** Handing out what expired, each to one caller, until its event is settled. */
export function sweeping(test: Test): void {
  const CLAIM_MS = 50;

  test("hands out each expired session once, in bounded batches, and no live one", async ({
    store,
    other,
    advance,
  }) => {
    for (let n = 0; n < 7; n += 1) await create(store, login(`s${n}`, { subject: "s" }));
    await create(store, login("live", { idleMs: IDLE_MS + 1 }));
    expect(await store.sweep(10, CLAIM_MS)).toEqual([]);
    await advance(IDLE_MS);
    const batches = [];
    for (const instance of [store, other, store, other]) batches.push(await instance.sweep(3, CLAIM_MS));
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 1, 0]);
    const swept = batches.flat().map(({ id }) => id);
    expect(swept.sort()).toEqual(Array.from({ length: 7 }, (_, n) => idOf(`s${n}`, "s")).sort());
    expect(await store.loadById(idOf("live"))).toBeDefined();
  });

  test("says which session it was and when it ended, and nothing else", async ({ store, advance }) => {
    const login1 = await create(store, login("a", { subject: "s", data: { secret: 1 } }));
    const run1 = await create(store, context("run:1", { owner: "i1", idleMs: IDLE_MS / 2 }));
    await advance(IDLE_MS * 2);
    const swept = await store.sweep(10, CLAIM_MS);
    expect(swept.sort((a, b) => a.expiredAt - b.expiredAt)).toEqual([
      { id: "run:1", kind: "context", subject: null, expiredAt: run1.createdAt + IDLE_MS / 2 },
      { id: idOf("a", "s"), kind: "login", subject: "s", expiredAt: login1.createdAt + IDLE_MS },
    ]);
  });

  test("hands each expired session to one of many concurrent sweeps", async (world) => {
    for (let n = 0; n < 20; n += 1) await create(world.store, login(`s${n}`));
    await world.advance(IDLE_MS);
    const batches = await together(world, 10, (store) => store.sweep(4, CLAIM_MS));
    const swept = batches.flat().map(({ id }) => id);
    expect(swept).toHaveLength(20);
    expect(new Set(swept).size).toBe(20);
  });

  test("hands out again what was not settled when its claim is over, to one caller, and not before", async (world) => {
    const { store, other, advance } = world;
    for (const name of ["a", "b"]) await create(store, login(name));
    await advance(IDLE_MS);
    const claimed = await store.sweep(10, CLAIM_MS);
    expect(claimed).toHaveLength(2);
    await other.settle(claimed.filter(({ id }) => id === idOf("a")));
    await advance(CLAIM_MS - 1);
    expect(await other.sweep(10, CLAIM_MS)).toEqual([]);
    await advance(1);
    const again = (await together(world, 6, (instance) => instance.sweep(10, CLAIM_MS))).flat();
    expect(again).toEqual(claimed.filter(({ id }) => id === idOf("b")));
    await advance(CLAIM_MS);
    expect(await store.sweep(10, CLAIM_MS)).toEqual(again);
    await expectDead(store, idOf("b"), "b");
  });

  test("hands out no more what was settled, also when that came late, twice or for nothing", async ({
    store,
    other,
    advance,
  }) => {
    await create(store, login("a"));
    await create(store, login("kept", { idleMs: IDLE_MS * 10 }));
    await advance(IDLE_MS);
    const claimed = await store.sweep(10, CLAIM_MS);
    await advance(CLAIM_MS);
    expect(await other.sweep(10, CLAIM_MS)).toEqual(claimed);
    await store.settle(claimed);
    await other.settle(claimed);
    await store.settle([]);
    await store.settle([{ id: idOf("nobody"), kind: "login", subject: null, expiredAt: 1 }]);
    await advance(CLAIM_MS * 10);
    expect(await other.sweep(10, CLAIM_MS)).toEqual([]);
    expect(await store.loadById(idOf("kept"))).toBeDefined();
  });

  test("keeps the session that is created under the id of an expired one, and hands it out in its turn", async ({
    store,
    advance,
  }) => {
    await create(store, context("run:1"));
    await create(store, login("a"));
    await advance(IDLE_MS);
    const claimed = await store.sweep(10, IDLE_MS * 10);
    expect(claimed).toHaveLength(2);
    await create(store, context("run:1", { data: { n: 2 } }));
    await create(store, login("a", { tokenHash: hash("b") }));
    await store.settle(claimed);
    expect(await store.loadById("run:1")).toMatchObject({ data: { n: 2 } });
    expect(await load(store, idOf("a"), "b")).toBeDefined();
    await advance(IDLE_MS);
    const next = await store.sweep(10, CLAIM_MS);
    expect(next.map(({ id }) => id).sort()).toEqual([idOf("a"), "run:1"].sort());
    for (const { expiredAt } of next) expect(expiredAt).toBe((claimed[0]?.expiredAt ?? 0) + IDLE_MS);
  });

  test("judges by the stored deadline: a session that was active in time is not handed out", async ({
    store,
    advance,
  }) => {
    for (const name of ["touched", "written", "rotated"]) await create(store, login(name));
    await create(store, context("run:1", { owner: "i1" }));
    await advance(IDLE_MS - 1);
    await load(store, idOf("touched"), "touched", true);
    await store.commit(idOf("written"), {});
    await store.rotate(idOf("rotated"), rotation("rotated", "next", GRACE_MS));
    await store.renewOwner("i1", 10, 10);
    await advance(1);
    expect(await store.sweep(10, CLAIM_MS)).toEqual([]);
    await advance(IDLE_MS - 1);
    expect(await store.sweep(10, CLAIM_MS)).toHaveLength(4);
  });

  test("hands out no session that was revoked in any way, and still those that expired before", async ({
    store,
    advance,
  }) => {
    const s = { subject: "s" };
    await create(store, login("expired", s));
    await advance(IDLE_MS);
    await create(store, login("one"));
    await create(store, login("reused"));
    await create(store, login("all", s));
    await create(store, login("evicted", { subject: "t" }));
    await create(store, login("newer", { subject: "t", limit: { max: 1, policy: "evict-oldest" } }));
    await store.revoke(idOf("one"));
    await store.revokeSubject("s");
    await store.rotate(idOf("reused"), rotation("reused", "next", 1));
    await advance(1);
    expect(await store.load(idOf("reused"), hash("reused"), { touch: true })).toHaveProperty("reused");
    expect(await store.revokeAll()).toBe(1);
    await advance(IDLE_MS);
    expect((await store.sweep(10, CLAIM_MS)).map(({ id }) => id)).toEqual([idOf("expired", "s")]);
  });
}
