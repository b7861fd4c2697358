import { describe, expect, it, onTestFinished } from "vitest";
import type { Json } from "../json.js";
import { MAX_DATA_BYTES } from "../store/session-data.js";
import type { Intercept } from "../testing/intercept-session-store.test.support.js";
import { Interleaving } from "../testing/interleaving.test.support.js";
import { openSessionInstances, SESSION_STORES } from "../testing/session-instances.test.support.js";

const NOT_FOUND = { code: "session-not-found" };
const INVALID = { code: "input-invalid" };

describe.each(SESSION_STORES)("updating sessions over %s", (kind) => {
  it("merges a patch: null removes, objects merge, everything else replaces", async () => {
    const { manager } = await setUp(kind);
    const { session } = await manager.create({ data: { a: 1, b: { c: 1, d: { e: 1 } }, f: [1, 2], g: 1 } });
    const updated = await manager.update(session.id, { a: null, b: { c: null, d: { x: 2 } }, f: [3], h: "new" });
    expect(updated.data).toEqual({ b: { d: { e: 1, x: 2 } }, f: [3], g: 1, h: "new" });
    expect(updated.revision).toBe(2);
    expect(await manager.get(session.id)).toEqual(updated);
  });

  it("writes in one store call when no object is merged, and not at all when nothing changes", async () => {
    const calls: string[] = [];
    const { manager } = await setUp(kind, (method, call) => {
      calls.push(method);
      return call();
    });
    const { session } = await manager.create({ data: { a: { b: 1 } } });
    calls.length = 0;
    await manager.update(session.id, { x: 1, y: null, z: [] });
    expect(calls.splice(0)).toEqual(["commit"]);
    expect((await manager.update(session.id, { a: { b: 1 } })).revision).toBe(2);
    expect((await manager.update(session.id, {})).revision).toBe(2);
    expect(calls.splice(0)).toEqual(["loadById", "loadById"]);
  });

  it("updates at the revision given, and names expected and current when it moved", async () => {
    const { manager } = await setUp(kind);
    const { session } = await manager.create();
    expect((await manager.update(session.id, { a: 1 }, 1)).revision).toBe(2);
    for (const patch of [{ a: 2 }, { a: { b: 2 } }, {}]) {
      const moved = { code: "session-revision-moved", details: { sessionId: session.id, expected: 1, current: 2 } };
      await expect(manager.update(session.id, patch, 1)).rejects.toMatchObject(moved);
      await expect(manager.update(session.id, patch, 1)).rejects.toThrow(/revision 1.* at 2/);
    }
    expect((await manager.get(session.id))?.data).toEqual({ a: 1 });
  });

  it("refuses patches that are not mergeable and results beyond 64 KiB, changing nothing", async () => {
    const { manager } = await setUp(kind);
    const { session } = await manager.create({ data: { kept: { a: 1 } } });
    for (const patch of [
      [],
      "x",
      null,
      1,
      JSON.parse('{"__proto__":{"a":1}}'),
      { kept: { prototype: 1 } },
      { a: "\udc00" },
    ] as never[]) {
      await expect(manager.update(session.id, patch)).rejects.toMatchObject(INVALID);
    }
    const half = "x".repeat(MAX_DATA_BYTES.login / 2);
    await manager.update(session.id, { half });
    for (const patch of [{ other: half }, { kept: { other: half } }]) {
      await expect(manager.update(session.id, patch)).rejects.toMatchObject({ code: "payload-too-large" });
    }
    expect((await manager.get(session.id))?.data).toEqual({ kept: { a: 1 }, half });
  });

  it("creates no session: an unknown, ended or expired one is session-not-found", async () => {
    const { manager, clock } = await setUp(kind);
    const { session: ended } = await manager.create();
    await manager.destroy(ended.id);
    const { session: expired } = await manager.create();
    clock.advance(1_000);
    for (const id of ["unknown", "", ended.id, expired.id]) {
      await expect(manager.update(id, { a: 1 })).rejects.toMatchObject(NOT_FOUND);
      await expect(manager.update(id, { a: { b: 1 } })).rejects.toMatchObject(NOT_FOUND);
      await expect(manager.update(id, {}, 1)).rejects.toMatchObject(NOT_FOUND);
      expect(await manager.get(id)).toBeUndefined();
    }
  });

  it("loses no field to writers on two instances, in the orders of 200 seeds", async () => {
    let interleaving = new Interleaving(0);
    let retries = 0;
    const intercept: Intercept = async (method, call) => {
      if (method !== "loadById" && method !== "commit") return call();
      await interleaving.step();
      const result = await call();
      if (result === "moved") retries += 1;
      await interleaving.step();
      return result;
    };
    const { manager, other } = await setUp(kind, intercept);
    for (let seed = 1; seed <= 200; seed += 1) {
      interleaving = new Interleaving(seed);
      const { session } = await manager.create({ data: { shared: { start: true }, counter: 0 } });
      const patches: Record<string, Json>[] = [];
      for (let n = 0; n < 8; n += 1) {
        const flat = interleaving.random.chance(0.4);
        patches.push(flat ? { [`flat${n}`]: n } : { shared: { [`nested${n}`]: { n } } });
      }
      const writes = patches.map((patch) =>
        (interleaving.random.chance(0.5) ? manager : other).update(session.id, patch),
      );
      const results = await interleaving.run(writes);
      expect(
        results.filter(({ status }) => status === "rejected"),
        `seed ${seed}`,
      ).toEqual([]);
      const reading = manager.get(session.id);
      await interleaving.run([reading]);
      const shared = Object.assign({ start: true }, ...patches.map((patch) => patch.shared ?? {}));
      const flat = Object.assign({}, ...patches.filter((patch) => !("shared" in patch)));
      expect((await reading)?.data, `seed ${seed}`).toEqual({ ...flat, shared, counter: 0 });
      expect((await reading)?.revision).toBe(9);
    }
    // Else nobody was in anybody's way, and nothing was shown.
    expect(retries).toBeGreaterThan(200);
  });

  it("merges many concurrent patches of one object on one instance without a retry", async () => {
    let commits = 0;
    const { manager } = await setUp(kind, (method, call) => {
      if (method === "commit") commits += 1;
      return call();
    });
    const { session } = await manager.create();
    const patches = Array.from({ length: 100 }, (_, n) => ({ shared: { [`n${n}`]: n } }));
    await Promise.all(patches.map((patch) => manager.update(session.id, patch)));
    expect(Object.keys((await manager.get(session.id))?.data.shared as object)).toHaveLength(100);
    expect(commits).toBe(100);
  });

  it("gives up merging after a bounded number of attempts when the session never holds still", async () => {
    let attempts = 0;
    const { manager, store } = await setUp(kind, async (method, call) => {
      const result = await call();
      if (method === "loadById") {
        attempts += 1;
        const present = result as { readonly id: string } | undefined;
        if (present) await store.commit(present.id, { set: { attempts } });
      }
      return result;
    });
    const { session } = await manager.create();
    const moved = { code: "session-revision-moved", details: { expected: null, current: 17 } };
    await expect(manager.update(session.id, { a: { b: 1 } })).rejects.toMatchObject(moved);
    expect((await store.loadById(session.id))?.data).not.toHaveProperty("a");
    // The seventeenth read is for the error's current revision.
    expect(attempts).toBe(17);
  });
});

async function setUp(kind: "memory" | "sqlite", intercept?: Intercept) {
  const instances = await openSessionInstances(kind, intercept);
  onTestFinished(instances.close);
  return instances;
}
