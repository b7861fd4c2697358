import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgres } from "@clean-arch/test-servers";
import { afterEach, describe, expect, it } from "vitest";
import type { RunStore } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  claimAll,
  claimOne,
  current,
  first,
  newRun,
  nextAppend,
  renewed,
  runId,
} from "../../testing/run-store-contract/harness.js";
import { createPostgresRunStore } from "./run-store.js";

/** Each test has a server of its own, for it is stopped. */
describe("a PostgreSQL server that fails", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function serve() {
    const server = await startPostgres();
    closing.push(() => server.remove());
    const open = async (): Promise<RunStore> => {
      const store = createPostgresRunStore({ url: server.url(), connectTimeoutMs: 1_000 });
      closing.push(() => store.close());
      await store.open();
      return store;
    };
    return { server, open, store: await open() };
  }

  /** Asks until the answer is not that the store is unavailable. */
  async function answered<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if ((error as { code?: string }).code !== "store-unavailable") throw error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  it("is unavailable while it is down, loses nothing acknowledged, and is used again when it is up", async () => {
    const { server, store } = await serve();
    const run = await claimOne(store, "w");
    expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    await server.stop("immediate");
    for (const call of [() => appendOne(store, nextAppend({ ...run, seq: 1 })), () => store.ping(), () => store.now()])
      await expect(call()).rejects.toMatchObject({ code: "store-unavailable" });
    await server.start();
    expect(await answered(() => appendOne(store, nextAppend({ ...run, seq: 1 })))).toMatchObject({ kind: "appended" });
    expect((await store.journal(run.id)).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it.each([
    ["that saw it go", true],
    ["that came after it", false],
  ])("lets no instance %s take runs over until it has been up for the length of their lease", async (_, saw) => {
    const { server, open, store: seeing } = await serve();
    const store = saw ? seeing : await open();
    await seeing.renew({ worker: "old", label: "old", leaseMs: 4_000, runs: [] });
    await seeing.create([newRun(1)]);
    first(await claimAll(seeing, "old"));
    await server.stop("immediate");
    await server.start();
    await answered(() => renewed(store, "new"));
    let taken = await claimAll(store, "new");
    while (taken.length === 0) {
      await answered(() => renewed(store, "new"));
      taken = await answered(() => claimAll(store, "new"));
    }
    const upMs = server.run("select extract(epoch from clock_timestamp() - pg_postmaster_start_time()) * 1000");
    expect(Number(upMs)).toBeGreaterThanOrEqual(4_000);
    expect(first(taken).run).toMatchObject({ id: runId(1), fence: 2 });
  });

  it("is used again after each of its backends was killed", async () => {
    const { server, store } = await serve();
    const run = await claimOne(store, "w");
    for (let seq = 0; seq < 5; seq++) {
      server.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'clean-arch%'");
      const append = nextAppend({ ...run, seq });
      expect(await answered(() => appendOne(store, append))).toMatchObject({ kind: "appended" });
    }
    expect((await store.journal(run.id)).length).toBe(5);
  });

  it("makes every worker start anew when another server took over", async () => {
    const { server, store, open } = await serve();
    const run = await claimOne(store, "w");
    await appendOne(store, nextAppend(run));
    await server.stop("fast");
    // As a standby that is promoted: the server ends its recovery on a timeline of its own.
    writeFileSync(join(server.dataFolder, "recovery.signal"), "");
    writeFileSync(join(server.dataFolder, "postgresql.auto.conf"), "restore_command = 'false'\n");
    await server.start();
    // Whatever was acknowledged may be missing there, so nothing is written on the ground of it.
    await expect(answered(() => store.ping())).resolves.toBeUndefined();
    await expect(appendOne(store, nextAppend({ ...run, seq: 1 }))).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await answered(() => renewed(store, "w", [run.id]))).toEqual({ kind: "dead" });
    await activate(store, "w2");
    expect(first(await claimAll(store, "w2"))).toMatchObject({ run: { id: run.id, fence: 2, seq: 2 } });
    const other = await open();
    expect(await current(other, run.id)).toMatchObject({ owner: "w2" });
  });
});
