import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../config.js";
import type { Json } from "../json.js";
import type { ContextSessions, ContextStamp } from "../store/context-sessions.js";
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
    const { save, load } = await setUp(kind);
    const values: Json[] = [{}, { a: [], b: { c: null }, d: "[]" }, [], null, "text", 0, false];
    for (const [n, context] of values.entries()) {
      expect(await save(`run${n}`, context, { fence: 1, seq: n })).toBe(true);
      expect(await load(`run${n}`)).toStrictEqual({ context, stamp: { fence: 1, seq: n } });
    }
  });

  it("are not there before the first save, and each run has its own", async () => {
    const { contexts, save, load, store } = await setUp(kind);
    expect(await load("run")).toBeUndefined();
    await contexts.drop("run");
    expect((await store.list({ kind: "context", limit: 10 })).items).toEqual([]);
    await save("run", { a: 1 }, { fence: 1, seq: 1 });
    expect(await load("run2")).toBeUndefined();
    expect((await store.list({ limit: 10 })).items).toEqual([]);
    expect((await store.list({ kind: "context", limit: 10 })).items).toMatchObject([{ id: "run:run", subject: null }]);
  });

  it("are replaced as a whole by a save whose stamp is not older: by fence, then seq", async () => {
    const { save, load } = await setUp(kind);
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
      expect(await save("run", context, stamp), `save ${n}`).toBe(stored);
      if (stored) expected = { context, stamp };
      expect(await load("run")).toStrictEqual(expected);
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
        const save = saver(contexts, `owner${fence}`);
        for (let seq = fence; seq < fence + 3; seq += 1) await save(run, { fence, seq }, { fence, seq });
      };
      const dropping = interleaving.random.chance(0.3) ? [contexts.drop(run)] : [];
      const results = await interleaving.run([owner(1), owner(2), ...dropping]);
      expect(
        results.filter(({ status }) => status === "rejected"),
        `seed ${seed}`,
      ).toEqual([]);
      const loading = contexts.load(run, "reader");
      await interleaving.run([loading]);
      const loaded = (await loading)?.saved;
      // A drop that comes last leaves nothing; one in between lets the next save in, whoever makes it.
      if (dropping.length === 0) expect(loaded?.stamp, `seed ${seed}`).toEqual({ fence: 2, seq: 4 });
      // Never a stamp on a context that it does not belong to.
      if (loaded) expect(loaded.context, `seed ${seed}`).toEqual({ ...loaded.stamp });
    }
  });

  it("live one idle time after the last save, without an absolute end, and are made anew by the next save", async () => {
    const { save, load, clock } = await setUp(kind);
    for (let seq = 1; seq <= 200; seq += 1) {
      expect(await save("run", { seq }, { fence: 1, seq })).toBe(true);
      clock.advance(TTL_MS - 1);
    }
    expect(await load("run")).toMatchObject({ context: { seq: 200 } });
    clock.advance(TTL_MS);
    expect(await load("run")).toBeUndefined();
    expect(await save("run", { restored: true }, { fence: 1, seq: 7 })).toBe(true);
    expect(await load("run")).toStrictEqual({ context: { restored: true }, stamp: { fence: 1, seq: 7 } });
  });

  it("are gone when dropped, and may be saved anew", async () => {
    const { contexts, save, load } = await setUp(kind);
    await save("run", { a: 1 }, { fence: 1, seq: 9 });
    await contexts.drop("run");
    expect(await load("run")).toBeUndefined();
    expect(await save("run", { b: 1 }, { fence: 1, seq: 1 })).toBe(true);
  });

  it("cost one call of the store to make, one for each save after it, one to load and one to drop", async () => {
    const calls: string[] = [];
    const { contexts, save } = await setUp(kind, (method, call) => {
      calls.push(method);
      return call();
    });
    await save("run", { a: 1 }, { fence: 1, seq: 1 });
    await save("run", { a: 2 }, { fence: 1, seq: 2 });
    await save("run", { a: 3 }, { fence: 1, seq: 3 });
    const loaded = await contexts.load("run", "second");
    const { revision = null } = loaded ?? {};
    await contexts.save({
      ...{ runId: "run", context: { a: 4 }, stamp: { fence: 2, seq: 4 }, owner: "second", revision },
    });
    await contexts.drop("run");
    expect(calls).toEqual(["create", "commit", "commit", "commit", "commit", "revoke"]);
  });

  it("belong to who saved or loaded them last", async () => {
    const { contexts, store } = await setUp(kind);
    const owner = async () => (await store.loadById("run:run"))?.owner;
    const [first, second] = [saver(contexts, "first"), saver(contexts, "second")];
    await first("run", { a: 1 }, { fence: 1, seq: 1 });
    expect(await owner()).toBe("first");
    await contexts.load("run", "second");
    expect(await owner()).toBe("second");
    await first("run", { a: 2 }, { fence: 1, seq: 1 });
    expect(await owner()).toBe("first");
    await second("run", { a: 3 }, { fence: 2, seq: 2 });
    expect(await owner()).toBe("second");
    // Too late: nothing changes.
    expect(await first("run", { a: 4 }, { fence: 1, seq: 3 })).toBe(false);
    expect(await owner()).toBe("second");
    expect(await contexts.owners()).toEqual(new Map([["second", 1]]));
  });

  it("are renewed together, by their owner or by who adopts them, and named run by run", async () => {
    const { contexts, load, clock } = await setUp(kind);
    const save = saver(contexts, "first");
    for (const run of ["a", "b", "c"]) await save(run, { run }, { fence: 1, seq: 1 });
    await saver(contexts, "other")("d", {}, { fence: 1, seq: 1 });
    await contexts.renew("first", 600, 0);
    for (let n = 0; n < 10; n += 1) {
      clock.advance(TTL_MS / 2);
      expect(await contexts.renew("first", 600, 0)).toEqual({ owned: 3, adopted: 0 });
    }
    // That of nobody was not renewed.
    expect(await load("d")).toBeUndefined();
    clock.advance(600);
    expect(await contexts.renew("second", 600, 2)).toEqual({ owned: 2, adopted: 2 });
    expect(await contexts.renew("second", 600, 2)).toEqual({ owned: 3, adopted: 1 });
    await contexts.retire("second");
    expect(await contexts.renew("third", 600, 10)).toEqual({ owned: 3, adopted: 3 });
    const first = await contexts.runsOf("third", 2, null);
    const rest = await contexts.runsOf("third", 2, first.nextCursor);
    expect([...first.runs, ...rest.runs].sort()).toEqual(["a", "b", "c"]);
    expect([first.runs.length, rest.nextCursor]).toEqual([2, null]);
    expect(await contexts.runsOf("second", 10, null)).toEqual({ runs: [], nextCursor: null });
  });

  it("are made anew in a store that lost everything, whatever revision was seen before", async () => {
    const { contexts, save, load } = await setUp(kind);
    await save("run", { a: 1 }, { fence: 1, seq: 1 });
    await save("run", { a: 2 }, { fence: 1, seq: 2 });
    await contexts.drop("run");
    expect(await save("run", { a: 3 }, { fence: 1, seq: 3 })).toBe(true);
    expect(await load("run")).toStrictEqual({ context: { a: 3 }, stamp: { fence: 1, seq: 3 } });
  });

  it("carry a context of 1 MiB and refuse more, keeping the one before", async () => {
    const { save, load } = await setUp(kind);
    const large = { text: "x".repeat(1_048_576 - 100) };
    await save("run", large, { fence: 1, seq: 1 });
    const tooLarge = { text: "x".repeat(1_200_000) };
    await expect(save("run", tooLarge, { fence: 1, seq: 2 })).rejects.toMatchObject({
      code: "payload-too-large",
    });
    expect(await load("run")).toStrictEqual({ context: large, stamp: { fence: 1, seq: 1 } });
  });

  it("take what is stored but not readable for nothing, and replace it", async () => {
    const { contexts, save, load, store } = await setUp(kind);
    await store.create({
      id: "run:run",
      kind: "context",
      tokenHash: null,
      subject: null,
      data: { odd: 1 },
      idleMs: TTL_MS,
      absoluteMs: null,
    });
    expect(await contexts.load("run", "reader")).toMatchObject({ saved: null });
    expect(await save("run", { a: 1 }, { fence: 1, seq: 1 })).toBe(true);
    expect(await load("run")).toMatchObject({ context: { a: 1 } });
  });

  it("say so when the store does not answer", async () => {
    const { contexts, save, store } = await setUp(kind);
    await store.close();
    const calls: readonly (() => Promise<unknown>)[] = [
      () => save("run", {}, { fence: 1, seq: 1 }),
      () => contexts.load("run", "owner"),
      () => contexts.drop("run"),
      () => contexts.renew("owner", 1_000, 10),
      () => contexts.retire("owner"),
      () => contexts.owners(),
      () => contexts.runsOf("owner", 10, null),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "store-unavailable" });
  });

  it("give up saving after a bounded number of rounds against other writers", async () => {
    let commits = 0;
    const { save, store } = await setUp(kind, async (method, call) => {
      if (method === "commit") {
        commits += 1;
        await store.commit("run:run", {});
      }
      return call();
    });
    await save("run", { a: 1 }, { fence: 1, seq: 1 });
    await expect(save("run", { a: 2 }, { fence: 1, seq: 2 })).rejects.toMatchObject({
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
  const contexts = createContextSessions({ store: interceptSessionStore(store, intercept), config });
  const load = async (run: string) => (await contexts.load(run, "reader"))?.saved;
  return { contexts, save: saver(contexts, "owner"), load, store, clock };
}

/** Saves as a process does that remembers what it saw last. False: a newer one stays. */
function saver(contexts: ContextSessions, owner: string) {
  const revisions = new Map<string, number>();
  return async (runId: string, context: Json, stamp: ContextStamp): Promise<boolean> => {
    const saved = await contexts.save({ runId, context, stamp, owner, revision: revisions.get(runId) ?? null });
    if (saved === "newer") return false;
    revisions.set(runId, saved.revision);
    return true;
  };
}
