import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../config.js";
import type { Json } from "../json.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import { createSqliteSessionStore } from "../stores/sqlite/session-store.js";
import { type Intercept, interceptSessionStore } from "../testing/intercept-session-store.test.support.js";
import { Interleaving } from "../testing/interleaving.test.support.js";
import { createManualClock } from "../testing/manual-clock.js";
import { createContextSessions } from "./context.js";

const TTL_MS = 1_000;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.each(["memory", "sqlite"] as const)("contexts as sessions over %s", (kind) => {
  it("keep what was saved, with its stamp, exactly as it is", async () => {
    const { contexts } = await setUp(kind);
    const values: Json[] = [{}, { a: [], b: { c: null }, d: "[]" }, [], null, "text", 0, false];
    for (const [n, context] of values.entries()) {
      expect(await contexts.save(`run${n}`, context, { fence: 1, seq: n })).toBe(true);
      expect(await contexts.load(`run${n}`)).toStrictEqual({ context, stamp: { fence: 1, seq: n } });
    }
  });

  it("are not there before the first save, and each run has its own", async () => {
    const { contexts, store } = await setUp(kind);
    expect(await contexts.load("run")).toBeUndefined();
    await contexts.drop("run");
    expect((await store.list({ kind: "context", limit: 10 })).items).toEqual([]);
    await contexts.save("run", { a: 1 }, { fence: 1, seq: 1 });
    expect(await contexts.load("run2")).toBeUndefined();
    expect((await store.list({ limit: 10 })).items).toEqual([]);
    expect((await store.list({ kind: "context", limit: 10 })).items).toMatchObject([{ id: "run:run", subject: null }]);
  });

  it("are replaced as a whole by a save whose stamp is not older: by fence, then seq", async () => {
    const { contexts } = await setUp(kind);
    const saves = [
      [{ fence: 1, seq: 5 }, true],
      [{ fence: 1, seq: 4 }, false],
      [{ fence: 1, seq: 5 }, true],
      [{ fence: 1, seq: 6 }, true],
      [{ fence: 2, seq: 6 }, true],
      [{ fence: 2, seq: 3 }, false],
      [{ fence: 1, seq: 99 }, false],
      [{ fence: 3, seq: 1 }, true],
    ] as const;
    let expected: unknown;
    for (const [n, [stamp, stored]] of saves.entries()) {
      const context = { [`key${n}`]: n };
      expect(await contexts.save("run", context, stamp), `save ${n}`).toBe(stored);
      if (stored) expected = { context, stamp };
      expect(await contexts.load("run")).toStrictEqual(expected);
    }
  });

  it("keep the newest stamp whatever the order of 200 seeds in which an old and a new owner save", async () => {
    let interleaving = new Interleaving(0);
    const { contexts } = await setUp(kind, async (_method, call) => {
      await interleaving.step();
      const result = await call();
      await interleaving.step();
      return result;
    });
    for (let seed = 1; seed <= 200; seed += 1) {
      interleaving = new Interleaving(seed);
      const run = `run${seed}`;
      const owner = async (fence: number): Promise<void> => {
        for (let seq = fence; seq < fence + 3; seq += 1) await contexts.save(run, { fence, seq }, { fence, seq });
      };
      const dropping = interleaving.random.chance(0.3) ? [contexts.drop(run)] : [];
      const results = await interleaving.run([owner(1), owner(2), ...dropping]);
      expect(
        results.filter(({ status }) => status === "rejected"),
        `seed ${seed}`,
      ).toEqual([]);
      const loading = contexts.load(run);
      await interleaving.run([loading]);
      const loaded = await loading;
      // A drop that comes last leaves nothing; one in between lets the next save in, whoever makes it.
      if (dropping.length === 0) expect(loaded?.stamp, `seed ${seed}`).toEqual({ fence: 2, seq: 4 });
      // Never a stamp on a context that it does not belong to.
      if (loaded) expect(loaded.context, `seed ${seed}`).toEqual({ ...loaded.stamp });
    }
  });

  it("live one idle time after the last save, without an absolute end, and are made anew by the next save", async () => {
    const { contexts, clock } = await setUp(kind);
    for (let seq = 1; seq <= 200; seq += 1) {
      expect(await contexts.save("run", { seq }, { fence: 1, seq })).toBe(true);
      clock.advance(TTL_MS - 1);
    }
    expect(await contexts.load("run")).toMatchObject({ context: { seq: 200 } });
    clock.advance(1);
    expect(await contexts.load("run")).toBeUndefined();
    expect(await contexts.save("run", { restored: true }, { fence: 1, seq: 7 })).toBe(true);
    expect(await contexts.load("run")).toStrictEqual({ context: { restored: true }, stamp: { fence: 1, seq: 7 } });
  });

  it("are gone when dropped, and may be saved anew", async () => {
    const { contexts } = await setUp(kind);
    await contexts.save("run", { a: 1 }, { fence: 1, seq: 9 });
    await contexts.drop("run");
    expect(await contexts.load("run")).toBeUndefined();
    expect(await contexts.save("run", { b: 1 }, { fence: 1, seq: 1 })).toBe(true);
  });

  it("carry a context of 1 MiB and refuse more, keeping the one before", async () => {
    const { contexts } = await setUp(kind);
    const large = { text: "x".repeat(1_048_576 - 100) };
    await contexts.save("run", large, { fence: 1, seq: 1 });
    const tooLarge = { text: "x".repeat(1_200_000) };
    await expect(contexts.save("run", tooLarge, { fence: 1, seq: 2 })).rejects.toMatchObject({
      code: "payload-too-large",
    });
    expect(await contexts.load("run")).toStrictEqual({ context: large, stamp: { fence: 1, seq: 1 } });
  });

  it("take what is stored but not readable for nothing, and replace it", async () => {
    const { contexts, store } = await setUp(kind);
    await store.create({
      id: "run:run",
      kind: "context",
      tokenHash: null,
      subject: null,
      data: { odd: 1 },
      idleMs: TTL_MS,
      absoluteMs: null,
    });
    expect(await contexts.load("run")).toBeUndefined();
    expect(await contexts.save("run", { a: 1 }, { fence: 1, seq: 1 })).toBe(true);
    expect(await contexts.load("run")).toMatchObject({ context: { a: 1 } });
  });

  it("say so when the store does not answer", async () => {
    const { contexts, store } = await setUp(kind);
    await store.close();
    const unavailable = { code: "store-unavailable" };
    await expect(contexts.save("run", {}, { fence: 1, seq: 1 })).rejects.toMatchObject(unavailable);
    await expect(contexts.load("run")).rejects.toMatchObject(unavailable);
    await expect(contexts.drop("run")).rejects.toMatchObject(unavailable);
  });

  it("give up saving after a bounded number of rounds against other writers", async () => {
    let commits = 0;
    const { contexts, store } = await setUp(kind, async (method, call) => {
      if (method === "commit") {
        commits += 1;
        await store.commit("run:run", {});
      }
      return call();
    });
    await contexts.save("run", { a: 1 }, { fence: 1, seq: 1 });
    await expect(contexts.save("run", { a: 2 }, { fence: 1, seq: 2 })).rejects.toMatchObject({
      code: "session-revision-moved",
    });
    expect(commits).toBe(16);
  });
});

async function setUp(kind: "memory" | "sqlite", intercept: Intercept = (_method, call) => call()) {
  const clock = createManualClock();
  const folder = await mkdtemp(join(tmpdir(), "contexts-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const store =
    kind === "memory"
      ? createMemorySessionStore({ clock })
      : createSqliteSessionStore({ file: join(folder, "test.db"), clock });
  await store.open();
  cleanups.push(() => store.close());
  const config = { ...DEFAULT_CONFIG.context, ttlMs: TTL_MS, absoluteTtlMs: TTL_MS };
  return { contexts: createContextSessions({ store: interceptSessionStore(store, intercept), config }), store, clock };
}
