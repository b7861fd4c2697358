import { expect } from "vitest";
import {
  activate,
  claimAll,
  claimNew,
  first,
  newRun,
  nextAppend,
  runId,
} from "../../testing/run-store-contract/harness.js";
import { again, testBehindProxy } from "./behind-proxy.test.support.js";
import { postgresForTests } from "./throwaway.test.support.js";

const postgres = postgresForTests();
const { server } = postgres;

const test = testBehindProxy(postgres);

/** The word that the driver sends for an append, whatever statement serves it. */
const isAppend = (request: Buffer): boolean => request.includes("append-");

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

test("answers a batch of starts that comes again at once, however many of them are known", async ({
  proxy,
  store,
  direct,
}) => {
  const runs = Array.from({ length: 200 }, (_, n) => newRun(n + 1, { key: `key-${n}` }));
  await store.ping();
  proxy.swallow({ request: (request) => request.includes("create") });
  await expect(store.create(runs)).rejects.toMatchObject({ code: "store-unavailable" });
  // The same clients ask again, under ids of their own; and there are some that have not asked before.
  const others = runs.map(({ key }, n) => newRun(n + 201, { key }));
  const fresh = Array.from({ length: 50 }, (_, n) => newRun(n + 401));
  // One by one, each of them would wait twice for an answer.
  proxy.set({ latencyMs: 20 });
  const startedAt = performance.now();
  const results = await again(() => store.create([...runs, ...others, ...fresh]));
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect(results.map(({ kind }) => kind)).toEqual([
    ...runs.map(() => "created"),
    ...others.map(() => "existing"),
    ...fresh.map(() => "created"),
  ]);
  expect(results.map((result) => "run" in result && result.run.id)).toEqual([
    ...[...runs, ...runs, ...fresh].map(({ id }) => id),
  ]);
  expect((await direct.store.list({ limit: 200 })).items).toHaveLength(200);
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

test("keeps no run from others for long when it is cut off while it claims", async ({ proxy, direct }) => {
  const url = direct.url.replace(String(server().port), String(proxy.port));
  const patient = await direct.reopen({ url, connectTimeoutMs: 500 });
  await activate(patient, "cut off");
  await direct.store.create([newRun(1)]);
  proxy.swallow({ request: (request) => request.includes("claim-take"), ending: "silence" });
  const claiming = claimAll(patient, "cut off").catch((error: unknown) => error);
  await expect.poll(() => proxy.counts.swallowed).toBe(1);
  const startedAt = performance.now();
  await activate(direct.store, "other");
  let taken = await claimAll(direct.store, "other");
  // Its transaction is open, and has locked the run.
  expect(taken).toEqual([]);
  while (taken.length === 0) taken = await claimAll(direct.store, "other");
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(first(taken).run).toMatchObject({ id: runId(1), owner: "other", fence: 1 });
  expect(await claiming).toMatchObject({ code: "store-unavailable" });
});

test("keeps no run from others for long when it is cut off while its journal is sent", async ({
  proxy,
  store,
  direct,
}) => {
  const [run] = await claimNew(direct.store, "w", 1);
  if (run === undefined) return expect.unreachable();
  const output = "x".repeat(900_000);
  const records = [{ kind: "completed", step: "pay", attempt: 1, output } as const];
  for (let seq = 0; seq < 16; seq++) await direct.store.append([nextAppend({ ...run, seq }, { records })]);
  await direct.store.retire("w");
  await activate(store, "cut off");
  // More than fits into what the network holds: the server is stuck in sending, with the run locked.
  const cut = new Promise<void>((resolve) => {
    proxy.swallow({
      request(request) {
        if (!request.includes("order by run, seq")) return false;
        proxy.set({ partition: "replies" });
        resolve();
        return false;
      },
    });
  });
  const claiming = claimAll(store, "cut off").catch((error: unknown) => error);
  await cut;
  const startedAt = performance.now();
  await activate(direct.store, "other");
  let taken = await claimAll(direct.store, "other");
  expect(taken).toEqual([]);
  while (taken.length === 0 && performance.now() - startedAt < 8_000) taken = await claimAll(direct.store, "other");
  expect(performance.now() - startedAt).toBeLessThan(6_000);
  expect(await claiming).toMatchObject({ code: "store-unavailable" });
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
