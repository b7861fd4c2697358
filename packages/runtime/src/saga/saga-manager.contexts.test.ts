import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PartialConfig, resolveConfig } from "../config.js";
import { RuntimeError } from "../errors.js";
import { createContextSessions } from "../session/context.js";
import type { SessionStore } from "../store/session-store.js";
import { createMemoryRunStore, createMemorySessionStore } from "../stores/memory/index.js";
import { type AnyCall, hangs, SagaBench } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { SagaManager } from "./manager.js";
import type { Definition } from "./registry.js";

const LEASE_MS = 10_000;
const TTL_MS = 60_000;
const HOUR_MS = 3_600_000;

describe("a saga manager that keeps contexts hot as sessions", () => {
  let bench: SagaBench;
  let sessions: SessionStore;
  /** Of all instances, but the renewals, which no saga makes. */
  let calls: string[];
  let renewals: number;
  let down: boolean;
  beforeEach(async () => {
    bench = await SagaBench.create("memory");
    [calls, renewals, down] = [[], 0, false];
    await loseEverything();
  });
  afterEach(async () => {
    await bench.close();
    await sessions.close();
  });

  /** The store is there, and empty. */
  async function loseEverything(): Promise<void> {
    sessions = createMemorySessionStore({ clock: bench.clock });
    await sessions.open();
  }

  /** An instance. `network.isCut`: it reaches nothing any more, which for the others is as if it had died. */
  function open(definition: Definition, config: PartialConfig = {}, network = { isCut: false }): Promise<SagaManager> {
    const kept = { context: { ttlMs: TTL_MS }, recovery: { leaseMs: LEASE_MS }, ...config };
    const reached = <Target extends object>(target: () => Target, onCall: (name: string) => void): Target =>
      new Proxy(target(), {
        get: (_, name) => {
          const method = Reflect.get(target(), name) as unknown;
          if (typeof method !== "function") return method;
          return async (...args: unknown[]) => {
            onCall(String(name));
            if (network.isCut && name !== "close")
              throw new RuntimeError("store-unavailable", "this instance is cut off");
            return Reflect.apply(method, target(), args) as unknown;
          };
        },
      });
    const link = reached(
      () => sessions,
      (name) => {
        if (name === "renewOwner") renewals += 1;
        else calls.push(name);
        if (down) throw new RuntimeError("store-unavailable", "the session store is down");
      },
    );
    const contexts = createContextSessions({ store: link, config: resolveConfig(kept).context });
    const store = createMemoryRunStore({ clock: bench.clock, world: bench.world, workers: "many" });
    return bench.open([definition], kept, {
      contexts,
      store: reached(
        () => store,
        () => {},
      ),
    });
  }

  const contextOf = async (id: string) => (await sessions.loadById(`run:${id}`))?.data;
  const contextsShown = async (manager: SagaManager) =>
    (await bench.until(manager.instances())).map(({ alive, contexts }) => [alive, contexts]);

  it("makes no session call for sagas that use no context: not while they run, not at their end, not when they are taken over", async () => {
    const definition = saga("s")
      .step("a", { run: () => ({ by: "a" }) })
      .step("b", { run: () => bench.later(200) })
      .waitFor("c", { signal: "go" })
      .step("d", { run: () => 1 })
      .build();
    const first = await open(definition);
    const ids = [];
    for (let n = 0; n < 20; n += 1) ids.push((await bench.until(first.start("s", {}))).id);
    for (const id of ids) await bench.toStatus(first, id, "waiting");
    await bench.until(first.close(0));
    expect(calls).toEqual(["retireOwner"]);
    const second = await open(definition);
    for (const id of ids) await bench.until(second.signal(id, "go", {}, { actor: "test" }));
    for (const id of ids) expect(await bench.until(second.wait(id, HOUR_MS))).toMatchObject({ status: "completed" });
    expect((await second.journal(ids[0] as string)).flatMap(({ records }) => records)).toContainEqual(
      expect.objectContaining({ kind: "claimed" }),
    );
    expect(calls).toEqual(["retireOwner"]);
    expect(renewals).toBeGreaterThan(0);
  });

  it("makes one when a step first uses it, one for each row after that, and one at the end", async () => {
    const definition = saga("s")
      .step("a", { run: () => 1 })
      .step("b", { run: () => ({ context: { b: 1 } }) })
      .step("c", { run: () => 1 })
      .build();
    const manager = await open(definition, { checkpoint: { enabled: false } });
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "completed", context: { b: 1 } });
    await bench.pass(100);
    expect(calls[0]).toBe("create");
    expect(calls.at(-1)).toBe("revoke");
    expect(calls.slice(1, -1).every((call) => call === "commit")).toBe(true);
    expect(calls.length).toBeLessThanOrEqual(4);
  });

  it("finds what a step under way wrote last in the hot copy, and makes that durable as the strategy says", async () => {
    const seen: unknown[] = [];
    const definition = (write: boolean) =>
      saga("s", { timeout: "10h" })
        .step("a", {
          timeout: "5h",
          run: ({ context, signal }) => {
            seen.push(context.get());
            if (write) context.patch({ progress: 40 });
            return hangs({ signal });
          },
        })
        .build();
    const checkpoint = { strategy: "time", interval: 30_000 } as const;
    const first = await open(definition(true), { checkpoint });
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(1_000);
    await bench.until(first.close(0));
    const second = await open(definition(false), { checkpoint });
    await bench.pass(31_000);
    expect(await second.checkpoints(id)).toMatchObject([{ context: { progress: 40 } }]);
    await bench.until(second.close(0));
    await loseEverything();
    await open(definition(false), { checkpoint });
    await bench.pass(1_000);
    expect(seen).toEqual([{}, { progress: 40 }, { progress: 40 }]);
  });

  it.each([
    ["time", { strategy: "time", interval: 30_000 }, { a: 1, w: 3 }],
    ["step", { strategy: "step" }, { a: 1, w: 1 }],
    ["count", { strategy: "count", interval: 2 }, { a: 1 }],
    ["manual", { strategy: "manual" }, { a: 1, w: 2 }],
    ["off", { enabled: false }, { a: 1 }],
  ] as const)(
    "comes back from the journal and its snapshots when the session store lost everything: strategy %s",
    async (name, checkpoint, expected) => {
      const seen: unknown[] = [];
      const definition = (crash: boolean) =>
        saga("s", { timeout: "10h" })
          .step("a", {
            run: async ({ context }) => {
              context.patch({ w: 1 });
              await bench.later(10);
              // Not in its result: taken back to what only a snapshot could hold.
              return { context: { a: 1, ...(name === "step" ? {} : { w: null }) } };
            },
          })
          .step("b", {
            timeout: "5h",
            run: async ({ context, signal }: AnyCall) => {
              seen.push(context.get());
              if (!crash) return null;
              context.patch({ w: 2 });
              if (name === "manual") await context.checkpoint();
              context.patch({ w: 3 });
              await bench.later(40_000);
              context.patch({ w: 4 });
              return hangs({ signal });
            },
          })
          .build();
      const first = await open(definition(true), { checkpoint });
      const { id } = await bench.until(first.start("s", {}));
      await bench.pass(41_000);
      expect((await contextOf(id))?.context).toEqual({ a: 1, w: 4 });
      await loseEverything();
      await bench.until(first.close(0));
      const second = await open(definition(false), { checkpoint });
      expect(await bench.until(second.wait(id, HOUR_MS))).toMatchObject({ status: "completed", context: expected });
      expect(seen.at(-1)).toEqual(expected);
    },
  );

  it("makes the hot copy anew when the store lost everything in the middle of a run, and a taken over run has one again", async () => {
    const definition = saga("s")
      .step("a", { run: () => ({ context: { a: 1 } }) })
      .step("b", { run: () => bench.later(1_000) })
      .step("c", { run: () => bench.later(1_000) })
      .step("d", { run: () => bench.later(60_000), timeout: "5m" })
      .build();
    const first = await open(definition);
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(500);
    expect(await contextOf(id)).toMatchObject({ context: { a: 1 } });
    await loseEverything();
    await bench.pass(1_000);
    expect(await contextOf(id)).toMatchObject({ context: { a: 1 } });
    await bench.until(first.close(0));
    await loseEverything();
    const second = await open(definition);
    await bench.pass(5_000);
    expect(await contextOf(id)).toMatchObject({ context: { a: 1 } });
    expect(await contextsShown(second)).toEqual([
      [true, 1],
      [false, 0],
    ]);
    expect(await bench.until(second.wait(id, HOUR_MS))).toMatchObject({ status: "completed", context: { a: 1 } });
    await bench.pass(10);
    expect(await contextOf(id)).toBeUndefined();
  });

  it("goes on and finishes runs while the session store is down for an hour, and takes runs over", async () => {
    const definition = saga("s", { timeout: "10h" })
      .step("a", { run: () => ({ context: { a: 1 } }) })
      .step("b", {
        timeout: "5h",
        run: async ({ context }) => {
          for (let n = 1; n <= 60; n += 1) {
            context.patch({ n });
            await bench.later(60_000);
          }
          return null;
        },
      })
      .step("c", { run: ({ context }) => ({ seen: context.get() }) })
      .build();
    const first = await open(definition);
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(1_000);
    down = true;
    expect(await contextsShown(first)).toEqual([[true, null]]);
    await bench.until(first.close(0));
    const second = await open(definition);
    const run = await bench.until(second.wait(id, 3 * HOUR_MS));
    expect(run).toMatchObject({ status: "completed", context: { a: 1, n: 60 } });
    const before = calls.length;
    expect(before).toBeLessThan(600);
    down = false;
    // What could not be dropped then is dropped later: nobody else would.
    await bench.pass(3 * TTL_MS);
    expect(await contextOf(id)).toBeUndefined();
    expect(await contextsShown(second)).toEqual([
      [true, 0],
      [false, 0],
    ]);
  });

  it("shows of each instance how many contexts it owns, those of runs that wait included, also of one that died", async () => {
    const definition = saga("s", { timeout: "10h" })
      .step("a", { run: () => ({ context: { a: 1 } }) })
      .sleep("b", { for: "30m" })
      .step("c", { run: ({ context }) => ({ seen: context.get() }) })
      .build();
    const network = { isCut: false };
    const first = await open(definition, {}, network);
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push((await bench.until(first.start("s", {}))).id);
    await bench.pass(1_000);
    expect(await contextsShown(first)).toEqual([[true, 3]]);
    // Renewed together: they outlive their ttl by far.
    await bench.pass(10 * TTL_MS);
    expect(await contextsShown(first)).toEqual([[true, 3]]);
    const second = await open(definition);
    await bench.pass(1_000);
    expect(await contextsShown(second)).toEqual([
      [true, 0],
      [true, 3],
    ]);
    network.isCut = true;
    await bench.pass(TTL_MS - 1_000);
    expect(await contextsShown(second)).toEqual([
      [true, 3],
      [false, 0],
    ]);
    await bench.pass(10 * TTL_MS);
    expect(await contextOf(ids[0] as string)).toMatchObject({ context: { a: 1 } });
    // Taken over with the run, not only adopted.
    for (const id of ids) expect(await bench.until(second.wait(id, HOUR_MS))).toMatchObject({ status: "completed" });
    await bench.pass(100);
    expect(await contextsShown(second)).toMatchObject([
      [true, 0],
      [false, 0],
    ]);
  });

  it("shows instances without their contexts when the session store does not answer, or none are kept", async () => {
    const definition = saga("s")
      .step("a", { run: () => 1 })
      .build();
    const kept = await open(definition);
    const present = sessions;
    sessions = Object.create(present, { owners: { value: () => new Promise(() => {}) } }) as SessionStore;
    expect(await contextsShown(kept)).toEqual([[true, null]]);
    sessions = present;
    await bench.until(kept.close(0));
    const none = await bench.open([definition]);
    expect((await contextsShown(none))[0]).toEqual([true, null]);
  });

  it("goes on under its new id with its contexts when the store had declared the worker dead", async () => {
    const definition = saga("s", { timeout: "10h" })
      .step("a", { run: () => ({ context: { a: 1 } }) })
      .sleep("b", { for: "5h" })
      .build();
    const manager = await open(definition);
    await bench.until(manager.start("s", {}));
    await bench.pass(1_000);
    const worker = [...bench.world.workers.values()][0];
    if (worker !== undefined) worker.dead = true;
    await bench.pass(3_000);
    expect(await contextsShown(manager)).toEqual([
      [true, 1],
      [false, 0],
    ]);
  });
});
