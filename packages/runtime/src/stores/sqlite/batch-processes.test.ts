import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemPorts } from "../../ports.js";
import { batchProgram, killAfter, workOn } from "../../testing/batch-process.test.support.js";
import { batchesOf, opened, planted, progress, RUN, spans, WORKER } from "../../testing/batch-store/harness.js";
import type { ChildProgram } from "../../testing/child-program.test.support.js";
import { activate, LEASE_MS, renewed } from "../../testing/run-store-contract/harness.js";
import { type Database, openDatabase } from "./database.js";
import { createSqliteRunStore } from "./run-store.js";

const CHUNKS = 40;

let program: ChildProgram;
beforeAll(async () => {
  program = await batchProgram();
});
afterAll(() => program.remove());

it.each([1, 8])(
  "gives the chunks of a process that is killed after %i to the next, when its lease has run out",
  async (settled) => {
    const file = join(program.folder, `killed-${settled}.db`);
    let later = 0;
    const clock = { ...systemPorts.clock, now: () => systemPorts.clock.now() + later };
    const store = createSqliteRunStore({ file, clock, busyTimeoutMs: 10_000 });
    await store.open();
    const looking = openDatabase(file);
    try {
      looking.exec("create table settlements (n integer)");
      const batches = batchesOf(store);
      await opened(store, { concurrency: 2 });
      await planted(batches, RUN, spans(CHUNKS), { isEnd: true });
      await store.retire(WORKER);

      await killAfter(program.start(["sqlite", file]), settled);

      // One worker of a file is active: the dead one, until its lease is over.
      expect(await renewed(store, "new")).toMatchObject({ kind: "standby", holder: "child" });
      const asked = { run: RUN, worker: "new", settled: [], take: 2, holding: [] };
      expect(await batches.advance(asked)).toMatchObject({ taken: [] });
      later = LEASE_MS;
      await activate(store, "new");
      const rest = await workOn(batches, "new", async (chunk, outcome) => {
        const transaction = (await batches.begin?.(chunk)) ?? expect.fail("expected a transaction");
        (transaction.client as Database).run("insert into settlements values (?)", [chunk.n]);
        return transaction.commit(outcome);
      });
      expect(rest.taken.length).toBeLessThanOrEqual(CHUNKS - settled);
      expect(rest.crashed.length).toBeLessThanOrEqual(2);
      expect(rest.crashed).toEqual(rest.taken.slice(0, rest.crashed.length));
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", done: CHUNKS * 10, openChunks: 0 });
      const effects = looking.all<{ n: number }>("select n from settlements order by n").map(({ n }) => n);
      expect(effects).toEqual(Array.from({ length: CHUNKS }, (_, index) => index + 1));
    } finally {
      looking.close();
      await store.close();
    }
  },
);
