import { type FaultyProxy, startFaultyProxy } from "@clean-arch/test-servers";
import { expect, it } from "vitest";
import type { AppendResult, RunStore } from "../../store/run-store.js";
import { claimNew, first, nextAppend } from "../../testing/run-store-contract/harness.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

const { open, server } = postgresForTests();

interface Behind {
  readonly proxy: FaultyProxy;
  /** Reaches the server through the proxy. */
  readonly store: RunStore;
  readonly direct: PostgresUnderTest;
}

const test = (title: string, body: (behind: Behind) => Promise<void>): void =>
  it(title, async () => {
    const direct = await open();
    const proxy = await startFaultyProxy({ to: server().port });
    try {
      const url = direct.url.replace(String(server().port), String(proxy.port));
      const store = await direct.reopen({ url, statementTimeoutMs: 500, connectTimeoutMs: 500 });
      await body({ proxy, store, direct });
    } finally {
      await proxy.close();
      await direct.close();
    }
  });

/** The word that the driver sends for an append, whatever statement serves it. */
const isAppend = (request: Buffer): boolean => request.includes("append-");

async function again(call: () => Promise<AppendResult[]>): Promise<AppendResult[]> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      expect(error).toMatchObject({ code: "store-unavailable" });
    }
  }
}

test("writes once what it sends again, when the answer to a commit is lost", async ({ proxy, store, direct }) => {
  const runs = await claimNew(direct.store, "w", 3);
  const ends = { change: { status: "completed", output: 7 }, next: { kind: "finish" } } as const;
  const appends = runs.map((run, index) => nextAppend(run, index === 0 ? ends : {}));
  // Once before, so that the statement is prepared and its request is the one that is executed.
  await store.ping();
  proxy.swallow({ request: isAppend });
  await expect(store.append(appends)).rejects.toMatchObject({ code: "store-unavailable" });
  expect(proxy.counts.swallowed).toBe(1);
  const results = await again(() => store.append(appends));
  expect(results.map((result) => result.kind)).toEqual(["appended", "appended", "appended"]);
  for (const run of runs) expect((await direct.store.journal(run.id)).length).toBe(1);
  expect(await direct.store.get(first(runs.slice(0, 1)).id)).toMatchObject({ status: "completed", output: 7 });
});

test("gives up a connection that fell silent, and goes on over another", async ({ proxy, store, direct }) => {
  const [run] = await claimNew(direct.store, "w", 1);
  if (run === undefined) return expect.unreachable();
  await store.append([nextAppend(run)]);
  expect(proxy.silence()).toBeGreaterThan(0);
  await expect(store.append([nextAppend({ ...run, seq: 1 })])).rejects.toMatchObject({ code: "store-unavailable" });
  const results = await again(() => store.append([nextAppend({ ...run, seq: 1 })]));
  expect(results).toMatchObject([{ kind: "appended" }]);
  expect((await direct.store.journal(run.id)).length).toBe(2);
});

test("says within its time that nobody answers, and recovers when somebody does", async ({ proxy, store }) => {
  proxy.set({ partition: "both" });
  await expect(store.ping()).rejects.toMatchObject({ code: "store-unavailable" });
  await expect(store.renew({ worker: "w", label: "w", leaseMs: 10_000, runs: [] })).rejects.toMatchObject({
    code: "store-unavailable",
  });
  proxy.calm();
  proxy.reset();
  await again(async () => {
    await store.ping();
    return [];
  });
});

test("survives connections that break at any moment", async ({ proxy, store, direct }) => {
  const [run] = await claimNew(direct.store, "w", 1);
  if (run === undefined) return expect.unreachable();
  for (let seq = 0; seq < 20; seq++) {
    const append = nextAppend({ ...run, seq });
    const sent = again(() => store.append([append]));
    if (seq % 3 === 0) setImmediate(() => proxy.reset());
    expect(await sent).toMatchObject([{ kind: "appended" }]);
  }
  expect((await direct.store.journal(run.id)).map(({ seq }) => seq)).toEqual(
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
});
