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

  it("refuses changes of one session beyond a thousand that wait here, and takes them again later", async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { manager } = await setUp(kind, async (method, call) => {
      if (method === "loadById") await gate;
      return call();
    });
    const { session } = await manager.create();
    const patches = Array.from({ length: 1_001 }, (_, n) =>
      manager.update(session.id, { shared: { [`n${n % 7}`]: n } }),
    );
    const settled = Promise.allSettled(patches);
    await expect(patches[1_000]).rejects.toMatchObject({ code: "overloaded" });
    release();
    expect((await settled).filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect((await manager.update(session.id, { shared: { last: true } })).data.shared).toMatchObject({ last: true });
  });

  describe("by a function", () => {
    it("stores the data that it makes of what is there: other fields, fewer fields, null as a value", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create({ data: { a: { n: 1 }, b: 1, c: 1 } });
      const { data, revision } = await manager.update(session.id, ({ a = 0, b = 0 }) => ({ a, b, d: null }));
      expect([data, revision]).toEqual([{ a: { n: 1 }, b: 1, d: null }, 2]);
      expect((await manager.get(session.id))?.data).toEqual(data);
    });

    it("writes what changed and nothing else, and nothing at all for undefined or the same data", async () => {
      const deltas: unknown[] = [];
      const { manager, store } = await setUp(kind);
      const { session } = await manager.create({ data: { a: 1, b: 1 } });
      const commit = store.commit.bind(store);
      store.commit = (id, delta, options) => {
        deltas.push(delta);
        return commit(id, delta, options);
      };
      expect((await manager.update(session.id, () => undefined)).revision).toBe(1);
      expect((await manager.update(session.id, (data) => ({ ...data }))).revision).toBe(1);
      expect(deltas).toEqual([]);
      await manager.update(session.id, (data) => ({ ...data, b: 2 }));
      expect(deltas).toEqual([{ set: { b: 2 }, unset: [] }]);
    });

    it("takes a function that changes what it is given for one that gives it back changed", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create({ data: { list: [1] } });
      const { data } = await manager.update(session.id, (present) => {
        (present.list as number[]).push(2);
        return present;
      });
      expect(data).toEqual({ list: [1, 2] });
      expect((await manager.get(session.id))?.data).toEqual({ list: [1, 2] });
    });

    it("loses no count to others who count on two instances, in the orders of 100 seeds", async () => {
      let interleaving = new Interleaving(0);
      let attempts = 0;
      const { manager, other } = await setUp(kind, async (method, call) => {
        if (method !== "loadById" && method !== "commit") return call();
        await interleaving.step();
        const result = await call();
        await interleaving.step();
        return result;
      });
      for (let seed = 1; seed <= 100; seed += 1) {
        interleaving = new Interleaving(seed);
        const { session } = await manager.create({ data: { n: 0 } });
        const count = ({ n }: { readonly n?: Json }) => {
          attempts += 1;
          return { n: (n as number) + 1 };
        };
        const counting = Array.from({ length: 6 }, (_, n) => (n % 2 ? manager : other).update(session.id, count));
        const results = await interleaving.run([...counting, manager.update(session.id, { flat: 1 })]);
        expect(
          results.filter(({ status }) => status === "rejected"),
          `seed ${seed}`,
        ).toEqual([]);
        const reading = manager.get(session.id);
        await interleaving.run([reading]);
        expect((await reading)?.data.n, `seed ${seed}`).toBe(6);
        // The one who writes another field is compared with as well: it moves the revision, and no count is lost by it.
      }
      expect(attempts).toBeGreaterThan(700);
    });

    it("passes on what the function throws, and refuses what is no data, changing nothing", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create({ data: { a: 1 } });
      const failure = new Error("no");
      const throwing = manager.update(session.id, () => {
        throw failure;
      });
      await expect(throwing).rejects.toBe(failure);
      for (const made of [
        [],
        "x",
        null,
        1,
        { a: 1n },
        { constructor: 1 },
        Promise.resolve({}),
        Promise.reject(failure),
      ])
        await expect(manager.update(session.id, () => made as never)).rejects.toMatchObject(INVALID);
      const half = "x".repeat(MAX_DATA_BYTES.login / 2);
      const tooLarge = manager.update(session.id, () => ({ one: half, two: half }));
      await expect(tooLarge).rejects.toMatchObject({ code: "payload-too-large" });
      expect(await manager.get(session.id)).toMatchObject({ data: { a: 1 }, revision: 1 });
    });

    it("calls the function for no session that is not live", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      await manager.destroy(session.id);
      const changing = manager.update(session.id, () => {
        throw new Error("called");
      });
      await expect(changing).rejects.toMatchObject(NOT_FOUND);
    });
  });

  describe("by writing", () => {
    it("replaces and removes fields in one store call, as they are, and gives no data", async () => {
      const calls: string[] = [];
      const { manager } = await setUp(kind, (method, call) => {
        calls.push(method);
        return call();
      });
      const { session } = await manager.create({ data: { a: { deep: 1 }, b: 1, c: 1 } });
      calls.length = 0;
      const written = await manager.write(session.id, { set: { a: { other: 1 }, d: null }, unset: ["b", "absent"] });
      expect(calls).toEqual(["commit"]);
      expect(written).toMatchObject({ id: session.id, revision: 2 });
      expect(written.data).toEqual({});
      expect((await manager.get(session.id))?.data).toEqual({ a: { other: 1 }, c: 1, d: null });
    });

    it("writes at the revision given or not at all, and never makes a session", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      await manager.write(session.id, { set: { a: 1 } }, 1);
      const moved = { code: "session-revision-moved", details: { sessionId: session.id, expected: 1, current: 2 } };
      await expect(manager.write(session.id, { set: { a: 2 } }, 1)).rejects.toMatchObject(moved);
      await manager.destroy(session.id);
      await expect(manager.write(session.id, { set: { a: 2 } })).rejects.toMatchObject(NOT_FOUND);
      await expect(manager.write(session.id, { set: { a: 2 } }, 1)).rejects.toMatchObject(NOT_FOUND);
      expect(await manager.get(session.id)).toBeUndefined();
    });

    it("refuses what is no delta", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      for (const delta of [{ set: [] }, { set: { a: 1n } }, { unset: "a" }, { unset: [1] }] as never[])
        await expect(manager.write(session.id, delta)).rejects.toMatchObject(INVALID);
      const tooLarge = { set: { a: "x".repeat(MAX_DATA_BYTES.login) } };
      await expect(manager.write(session.id, tooLarge)).rejects.toMatchObject({ code: "payload-too-large" });
      expect((await manager.get(session.id))?.revision).toBe(1);
    });
  });
});

async function setUp(kind: (typeof SESSION_STORES)[number], intercept?: Intercept) {
  const instances = await openSessionInstances(kind, intercept);
  onTestFinished(instances.close);
  return instances;
}
