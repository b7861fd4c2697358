/**
 * A generated service in real processes, killed with SIGKILL while orders run: nothing is lost, nothing is done twice. On
 * SQLite a process follows its predecessor, on PostgreSQL two share the work. `KILLS=40` kills more often than the default.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, type Postgres, startPostgres } from "@clean-arch/test-servers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type GeneratedService, generateService, OPERATOR_TOKEN } from "./generated-service.js";
import { asOperator, checkEffects, kindOf, OrderClient, untilActive } from "./orders.js";
import { run, type start, stop } from "./process.js";

const KILLS = { sqlite: Number(process.env.KILLS ?? 8), postgres: Number(process.env.KILLS ?? 5) };
const ORDERS = 20;
const LEASE_MS = 1_000;

let service: GeneratedService;
beforeAll(async () => {
  service = await generateService();
}, 180_000);
afterAll(() => service?.remove());

type Instance = ReturnType<typeof start>;

const running = new Set<Instance>();
afterEach(async () => {
  await Promise.all([...running].map(({ child }) => stop(child, "SIGKILL")));
  running.clear();
});

function boot(url: string, environment: Readonly<Record<string, string>> = {}) {
  const booted = service.boot(Number(new URL(url).port), {
    SESSION_RECOVERY_LEASE: `${LEASE_MS}ms`,
    // The kills are ours: on a slow machine a run may be under way at several of them, and is no poison for it.
    SESSION_RECOVERY_MAX_CRASHES: "1000",
    ...environment,
  });
  running.add(booted);
  return booted;
}

const freeUrl = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;

/** One after the other while the killing goes on; gives them once all were accepted. */
function placeOrders(client: OrderClient, kills: number): Promise<readonly { readonly id: string }[]> {
  return Promise.all(
    Array.from({ length: ORDERS }, async (_, order) => {
      await sleep((order * kills * 700) / ORDERS);
      return client.placeOrder(order);
    }),
  );
}

async function checkOrders(client: OrderClient, started: readonly { readonly id: string }[]): Promise<void> {
  expect(new Set(started.map(({ id }) => id)).size).toBe(ORDERS);
  const runs = await Promise.all(started.map(({ id }, order) => client.untilStatus(id, kindOf(order).end)));
  expect((await client.get<{ items: unknown[] }>("/api/v1/runs?limit=200", asOperator)).items).toHaveLength(ORDERS);
  checkEffects(runs, await client.ledger());
}

describe("on SQLite", () => {
  it(
    `loses no run and no session and does nothing twice over ${KILLS.sqlite} kills`,
    async () => {
      const url = await freeUrl();
      const client = new OrderClient([url]);
      let current = boot(url);
      const session = await client.post<{ id: string; token: string }>("/api/v1/sessions", {
        transport: "bearer",
        data: { cart: 1 },
      });
      const placing = placeOrders(client, KILLS.sqlite);
      for (let kills = 0; kills < KILLS.sqlite; kills += 1) {
        await untilActive(url);
        await sleep(Math.random() * 500);
        await stop(current.child, "SIGKILL");
        // A new process waits for the end of its dead predecessor's lease.
        current = boot(url);
      }
      await untilActive(url);
      await checkOrders(client, await placing);
      const bearer = { authorization: `Bearer ${session.token}` };
      expect(await client.get("/api/v1/sessions/current", bearer)).toMatchObject({ id: session.id, data: { cart: 1 } });
      expect(await stop(current.child, "SIGTERM"), current.output()).toBe(0);
      expect(integrity()).toBe("ok");
    },
    60_000 + KILLS.sqlite * 4_000,
  );
});

describe("on PostgreSQL, in two instances", () => {
  let server: Postgres;
  let databases = 0;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.remove());

  /** Two instances on a new database; only DATABASE_URL tells them. */
  async function bootTwo() {
    databases += 1;
    const name = `orders_${databases}`;
    server.create(name);
    const environment = { DATABASE_URL: server.url(name) };
    const urls = [await freeUrl(), await freeUrl()] as const;
    const instances: [Instance, Instance] = [boot(urls[0], environment), boot(urls[1], environment)];
    await Promise.all(urls.map(untilActive));
    return { urls, instances, environment };
  }

  it("in production the start is refused until the migrations of that database were applied", async () => {
    server.create("production");
    const environment = {
      ...{ NODE_ENV: "production", HTTP_AUTH: "none", SESSION_CONTEXT_STORAGE: "memory", OPERATOR_TOKEN },
      DATABASE_URL: server.url("production"),
      ...Object.fromEntries(
        ["INVENTORY", "PAYMENT", "SHIPPING"].map((name) => [`SERVICES_${name}_SERVICE_URL`, "http://127.0.0.1:9"]),
      ),
    };
    const program = (...parameters: string[]) =>
      run(process.execPath, parameters, { cwd: service.folder, env: environment });
    const first = "0001_create_tables";
    const refused = await program("dist/main.js");
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining(`not applied yet: ${first}`)]);
    const outputs = [];
    for (const verb of ["status", "up", "up", "down", "down"])
      outputs.push((await program("dist/migrate.js", verb)).output);
    expect(outputs).toEqual([
      `${first}  pending\n`,
      `applied ${first}\n`,
      "nothing is pending\n",
      `took back ${first}\n`,
      "nothing is applied\n",
    ]);
    expect(server.run("SELECT count(*) FROM pg_tables WHERE tablename = 'orders'", "production")).toBe("0");
  }, 60_000);

  it("the other one takes over within the lease and two seconds when one is killed in the middle of a stage", async () => {
    const { urls, instances } = await bootTwo();
    const [first, second] = [new OrderClient([urls[0]]), new OrderClient([urls[1]])];
    const { id } = await first.placeOrder(1, { process_payment: { delay_ms: 3_000 } });
    const paying = async () => {
      const { steps } = await second.get<{ steps: { name: string; status: string }[] }>(`/api/v1/runs/${id}`);
      return steps.some(({ name, status }) => name === "process_payment" && status === "running");
    };
    await expect.poll(paying, { timeout: 10_000 }).toBe(true);
    const killedAt = Date.now();
    await stop(instances[0].child, "SIGKILL");

    const run = await second.untilStatus(id, "completed");
    type Row = { readonly at: string; readonly records: readonly { readonly kind: string }[] };
    const { items } = await second.get<{ items: Row[] }>(`/api/v1/runs/${id}/journal`, asOperator);
    const claimed = items.filter(({ records }) => records.some(({ kind }) => kind === "claimed"));
    expect(claimed).toHaveLength(1);
    expect(Date.parse(claimed[0]?.at ?? "") - killedAt).toBeLessThanOrEqual(LEASE_MS + 2_000);
    checkEffects([run], await second.ledger());
    const instancesSeen = await second.get<{ items: { alive: boolean }[] }>("/api/v1/instances", asOperator);
    expect(instancesSeen.items.map(({ alive }) => alive).sort()).toEqual([false, true]);
  }, 60_000);

  it(
    `they lose no run and do nothing twice over ${KILLS.postgres} kills of one or the other`,
    async () => {
      const { urls, instances, environment } = await bootTwo();
      const client = new OrderClient(urls);
      const placing = placeOrders(client, KILLS.postgres);
      for (let kills = 0; kills < KILLS.postgres; kills += 1) {
        const victim = Math.random() < 0.5 ? 0 : 1;
        const url = urls[victim];
        await untilActive(url);
        await sleep(Math.random() * 500);
        await stop(instances[victim].child, "SIGKILL");
        instances[victim] = boot(url, environment);
      }
      await checkOrders(client, await placing);
      await Promise.all(urls.map(untilActive));
      for (const { child, output } of instances) expect(await stop(child, "SIGTERM"), output()).toBe(0);
    },
    60_000 + KILLS.postgres * 4_000,
  );
});

/** With the driver the service itself uses. */
function integrity(): unknown {
  const Database = createRequire(join(service.folder, "package.json"))("libsql");
  const database = new Database(join(service.folder, "data/order-service.db"));
  try {
    return database.prepare("pragma integrity_check").all()[0].integrity_check;
  } finally {
    database.close();
  }
}
