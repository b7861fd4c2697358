import type pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { batchProgram, killAfter, workOn } from "../../testing/batch-process.test.support.js";
import { batchesOf, opened, planted, progress, RUN, spans, taken, WORKER } from "../../testing/batch-store/harness.js";
import type { ChildProgram } from "../../testing/child-program.test.support.js";
import { activate, LEASE_MS } from "../../testing/run-store-contract/harness.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();
const CHUNKS = 40;

let program: ChildProgram;
beforeAll(async () => {
  program = await batchProgram();
});
afterAll(() => program.remove());

it.each([1, 8])(
  "gives the chunks of a process that is killed after %i to others, when its lease has run out",
  async (settled) => {
    const under = await open();
    try {
      const { store, schema, url, query, advance } = under;
      await query(`create table "${schema}".settlements (n int)`);
      const batches = batchesOf(store);
      await opened(store, { concurrency: 3 });
      await planted(batches, RUN, spans(CHUNKS), { isEnd: true });

      const working = killAfter(program.start(["postgres", url, schema]), settled);
      const [own] = await taken(batches, RUN, 1);
      await working;

      // What it had is its own, until its lease is over.
      await advance(LEASE_MS / 2);
      await activate(store, WORKER);
      const { ownedChunks } = await progress(batches, RUN);
      await advance(LEASE_MS / 2);
      await activate(store, WORKER);
      expect((await progress(batches, RUN)).ownedChunks).toBe(own ? 1 : 0);
      expect(ownedChunks).toBeLessThanOrEqual(3);

      const rest = await workOn(batches, WORKER, async (chunk, outcome) => {
        const transaction = (await batches.begin?.(chunk)) ?? expect.fail("expected a transaction");
        await (transaction.client as pg.PoolClient).query(`insert into "${schema}".settlements values ($1)`, [chunk.n]);
        return transaction.commit(outcome);
      });
      expect(rest.crashed.length).toBeLessThanOrEqual(2);
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", done: CHUNKS * 10, openChunks: 0 });
      const effects = (await query(`select n from "${schema}".settlements order by n`)).map(({ n }) => n);
      expect(effects).toEqual(Array.from({ length: CHUNKS }, (_, index) => index + 1));
    } finally {
      await under.close();
    }
  },
);
