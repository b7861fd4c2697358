import { type FaultyProxy, startFaultyProxy } from "@clean-arch/test-servers";
import type pg from "pg";
import { expect, it } from "vitest";
import { resolveConfig } from "../../config.js";
import { saga } from "../../saga/builder.js";
import type { TransactionRunner } from "../../saga/definition.js";
import type { SagaManager } from "../../saga/manager.js";
import type { Definition } from "../../saga/registry.js";
import { createSagaManager } from "../../saga/saga-manager.js";
import type { PostgresOptions } from "./connections.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

/** Whole sagas whose steps have their effects in the run store's own database. */

const { open, server } = postgresForTests();

interface Bench extends PostgresUnderTest {
  /** A manager on the data; its store reaches the server by `options.url`, else directly. */
  manage(definitions: Definition[], options?: Partial<PostgresOptions>, leaseMs?: number): Promise<SagaManager>;
  /** Reserves by the client of a transaction. */
  reserve(client: pg.PoolClient, name?: string): Promise<unknown>;
  committed(): Promise<string[]>;
}

const test = (title: string, body: (bench: Bench) => Promise<void>): void =>
  it(title, async () => {
    const under = await open();
    const managers: SagaManager[] = [];
    const { effects } = under;
    if (effects === undefined) return expect.unreachable();
    try {
      await body({
        ...under,
        manage: async (definitions, options, leaseMs = 10_000) => {
          const manager = createSagaManager({
            store: await under.reopen(options),
            definitions,
            participants: {},
            config: resolveConfig({ recovery: { leaseMs, initialDelayMs: 1, jitter: "none" } }),
            pollMs: 50,
          });
          managers.push(manager);
          await manager.open();
          return manager;
        },
        reserve: async (client, name = "reserve") => effects.write(client, name),
        committed: () => effects.committed(),
      });
    } finally {
      for (const manager of managers) await manager.close(0);
      await under.close();
    }
  });

const toEnd = async (manager: SagaManager, input = {}) => {
  const { id } = await manager.start("s", input);
  return manager.wait(id, 20_000);
};

async function throughProxy(bench: Bench, body: (proxy: FaultyProxy, url: string) => Promise<void>): Promise<void> {
  const proxy = await startFaultyProxy({ to: server().port });
  try {
    await body(proxy, bench.url.replace(String(server().port), String(proxy.port)));
  } finally {
    await proxy.close();
  }
}

test("are done once when the reply to their commit is lost", (bench) =>
  throughProxy(bench, async (proxy, url) => {
    let calls = 0;
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction }) =>
          transaction(async (client: pg.PoolClient) => {
            calls += 1;
            await bench.reserve(client);
            proxy.swallow({ request: (request) => request.includes("commit\0") });
            return { reserved: true };
          }),
      })
      .step("ship", { run: ({ outputs }) => outputs.reserve })
      .build();
    const manager = await bench.manage([definition], { url });
    expect(await toEnd(manager)).toMatchObject({ status: "completed", output: { reserved: true } });
    expect([calls, proxy.counts.swallowed, await bench.committed()]).toEqual([1, 1, ["reserve"]]);
  }));

test("are done once when the connection breaks before their commit", (bench) =>
  throughProxy(bench, async (proxy, url) => {
    let calls = 0;
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction }) =>
          transaction(async (client: pg.PoolClient) => {
            calls += 1;
            await bench.reserve(client);
            if (calls === 1) expect(proxy.reset()).toBeGreaterThan(0);
          }),
      })
      .build();
    const manager = await bench.manage([definition], { url });
    expect((await toEnd(manager)).status).toBe("completed");
    expect([calls, await bench.committed()]).toEqual([2, ["reserve"]]);
  }));

test("fail their attempt, and keep no connection, whatever goes wrong in them", async (bench) => {
  const { schema, query } = bench;
  await query(
    `create table "${schema}".once (name text unique deferrable initially deferred); insert into "${schema}".once values ('taken')`,
  );
  const wrong: ((client: pg.PoolClient) => unknown)[] = [
    () => Promise.reject(new Error("a fault")),
    (client) => client.query("no sql"),
    // A constraint that is looked at when the transaction commits.
    (client) => client.query(`insert into "${schema}".once values ('taken')`),
    // A failure that the callback hides.
    (client) => client.query("select 1 / 0").catch(() => "all is well"),
    () => 1n,
    (client) => client.query("select pg_terminate_backend(pg_backend_pid())"),
  ];
  const errors: string[] = [];
  const definition = saga("s")
    .step("reserve", {
      retry: { maxAttempts: wrong.length + 1 },
      run: async ({ transaction, attempt }) => {
        try {
          return await transaction(async (client: pg.PoolClient) => {
            await bench.reserve(client, `attempt ${attempt}`);
            return wrong[attempt - 1]?.(client) ?? "done";
          });
        } catch (error) {
          errors.push((error as Error).message);
          throw error;
        }
      },
    })
    .build();
  const manager = await bench.manage([definition], { transactions: 1 });
  expect(await toEnd(manager)).toMatchObject({ status: "completed", output: "done" });
  expect(await bench.committed()).toEqual([`attempt ${wrong.length + 1}`]);
  expect(errors).toEqual([
    "a fault",
    expect.stringContaining("syntax error"),
    expect.stringContaining("duplicate key"),
    expect.stringContaining("let the callback throw what it catches"),
    expect.stringContaining("JSON"),
    expect.stringContaining("terminating connection"),
  ]);
});

test("wait for their turn, and keep neither other runs' rows nor the lease waiting", async (bench) => {
  let [open, most] = [0, 0];
  const slowly = (transaction: TransactionRunner, name: string) =>
    transaction(async (client: pg.PoolClient) => {
      open += 1;
      most = Math.max(most, open);
      await bench.reserve(client, name);
      // Forty of them, two at a time, take longer than the lease and than a connection is waited for.
      await client.query("select pg_sleep(0.06)");
      open -= 1;
      return name;
    });
  const definition = saga("s")
    .step("reserve", { run: ({ transaction, runId }) => slowly(transaction, runId) })
    .build();
  const quick = saga("quick")
    .step("a", { run: () => null })
    .build();
  const options = { connections: 1, transactions: 2, connectTimeoutMs: 500 };
  const manager = await bench.manage([definition, quick], options, 1_000);
  const runs = await Promise.all(Array.from({ length: 40 }, (_, index) => manager.start("s", { index })));
  const { id } = await manager.start("quick", {});
  const ends: string[] = [];
  await Promise.all([
    manager.wait(id, 20_000).then(() => ends.push("quick")),
    ...runs.map((run) => manager.wait(run.id, 20_000).then(({ status }) => ends.push(status))),
  ]);
  expect(ends.indexOf("quick")).toBeLessThan(20);
  expect(ends.filter((end) => end === "completed")).toHaveLength(40);
  expect(await bench.committed()).toEqual(runs.map((run) => run.id).sort());
  expect(most).toBe(2);
  for (const run of runs)
    expect((await manager.journal(run.id)).flatMap((row) => row.records).map(({ kind }) => kind)).not.toContain(
      "claimed",
    );
});

test("are planned by the server as anybody's statements", async (bench) => {
  const definition = saga("s")
    .step("reserve", {
      run: ({ transaction }) =>
        transaction(async (client: pg.PoolClient) => {
          const { rows } = await client.query(
            "select name, setting from pg_settings where source = 'client' order by name",
          );
          return rows.map(({ name }) => name);
        }),
    })
    .build();
  const { output } = await toEnd(await bench.manage([definition]));
  expect(output).toContain("statement_timeout");
  expect(output).not.toContain("enable_seqscan");
});
