// cspell:ignore datname
/** What only a server does: it stops, comes back, speaks of dates in its own way, and is shared by instances. */
import { type Postgres, startFaultyProxy, startPostgres } from "@clean-arch/test-servers";
import { sql } from "kysely";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { definitions } from "../../src/application/sagas/definitions.generated.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { openPostgres } from "../../src/infrastructure/persistence/postgres/database.js";
import { createQueries } from "../../src/infrastructure/persistence/postgres/queries.js";
import { asOperator, startService, type TestService } from "../integration/service.js";

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  process.env.TEST_DATABASE_URL = server.url();
}, 60_000);
afterAll(() => server?.remove());

const silent = createLogger("test", "silent");
const volumes = "/api/v1/bound-volumes";
const volume = { title: "Faust", call_number: "AB-1000", page_count: 5, price: "1.50" };
const [saga = ""] = definitions.flatMap((definition) => ("waves" in definition ? [definition.name] : []));

test("a server that stops is 503 and named by readiness; when it is back, so is the service", async () => {
  const service = await startService();
  try {
    const created = await service.call("POST", volumes, volume);
    expect(created.status).toBe(201);
    await server.stop("immediate");
    for (const [method, body] of [["GET"], ["POST", { ...volume, call_number: "AB-1001" }]] as const) {
      const refused = await service.call(method, volumes, body);
      expect(refused).toMatchObject({ status: 503, body: { code: "store-unavailable" } });
      expect(refused.headers.get("retry-after")).toBe("1");
    }
    const down = { status: "down", dependencies: { database: { status: "down" }, runs: { status: "down" } } };
    expect(await service.call("GET", "/health/ready")).toMatchObject({ status: 503, body: down });
    expect((await service.call("GET", "/health/live")).status).toBe(200);
    await server.start();
    const ready = () => service.call("GET", "/health/ready").then(({ status }) => status);
    await expect.poll(ready, { timeout: 15_000 }).toBe(200);
    expect((await service.call("GET", `${volumes}/${created.body.id}`)).body).toEqual(created.body);
  } finally {
    if (server.pid === undefined) await server.start();
    await service.close();
  }
});

test("a server that has no room for runs is named by readiness, and they go on when it has", async () => {
  const service = await startService();
  const database = new URL(databaseOf(service)).pathname.slice(1);
  try {
    const raise = "RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'No space left on device'";
    server.run(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${raise}; END $$`, database);
    server.run("CREATE TRIGGER refuse BEFORE INSERT ON clean_arch.runs EXECUTE FUNCTION refuse()", database);
    const started = service.call("POST", `/api/v1/sagas/${saga}?wait=15`, { input: {} });
    const ready = () => service.call("GET", "/health/ready");
    const down = { dependencies: { database: { status: "up" }, runs: { status: "down" } } };
    await expect.poll(ready, { timeout: 10_000 }).toMatchObject({ status: 503, body: down });
    server.run("DROP TRIGGER refuse ON clean_arch.runs", database);
    expect(await started).toMatchObject({ status: 200, body: { status: "completed" } });
    expect(await ready()).toMatchObject({ status: 200 });
  } finally {
    await service.close();
  }
});

test("a server that is not durable, or not there yet, is told of when the service opens it", async () => {
  const told: object[] = [];
  const logger = { ...silent, warn: (facts: object, message: string) => void told.push({ ...facts, message }) };
  const options = { url: server.url(), connections: 1, applicationName: "test", logger };
  await server.stop("fast");
  const opening = openPostgres(options);
  await expect.poll(() => told.length).toBe(1);
  await server.start();
  await (await opening).close();
  expect(told).toEqual([
    { reason: expect.any(String), message: expect.stringContaining("does not answer yet") },
    { off: ["fsync"], message: expect.stringContaining("may lose") },
  ]);
});

test.each([
  ["while the service looks at its own migrations", "to_regclass(quote_ident"],
  ["while the runtime, the last of those who use it, asks for the lock of its migrations", "7164775494170931809"],
])("a server that goes in the middle of the start, %s, is waited for again", async (_, statement) => {
  const first = await startService();
  const proxy = await startFaultyProxy({ to: server.port });
  proxy.swallow({ request: (request) => request.includes(statement) });
  try {
    const url = databaseOf(first).replace(String(server.port), String(proxy.port));
    const service = await startService({ DATABASE_URL: url });
    expect(proxy.counts.swallowed).toBe(1);
    expect((await service.call("GET", "/health/ready")).status).toBe(200);
    await service.close();
  } finally {
    await first.close();
    await proxy.close();
  }
});

test("killed connections cost what was under way, and nothing after it", async () => {
  const service = await startService();
  try {
    await service.call("POST", volumes, volume);
    const { pathname } = new URL(databaseOf(service));
    server.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${pathname.slice(1)}'`);
    await expect.poll(() => service.call("GET", volumes).then(({ status }) => status)).toBe(200);
    expect((await service.call("GET", volumes)).body.items).toHaveLength(1);
  } finally {
    await service.close();
  }
});

test("a connection that still owes an answer is not the next one's", async () => {
  const pool = new Pool({ connectionString: server.url(), max: 1, query_timeout: 200 });
  pool.on("error", () => {});
  const queries = createQueries(pool);
  await expect(sql`SELECT pg_sleep(30)`.execute(queries)).rejects.toThrow("Query read timeout");
  expect((await sql`SELECT 1 AS one`.execute(queries)).rows).toEqual([{ one: 1 }]);
  await pool.end();
});

test("whatever the database says of dates and zones, values are what they were", async () => {
  server.run("ALTER ROLE postgres SET DateStyle = 'German'; ALTER ROLE postgres SET TimeZone = 'Asia/Tokyo'");
  const service = await startService();
  try {
    const dates = { published_on: "0044-03-15", bound_at: "1999-12-31T23:59:59.999Z" };
    const created = await service.call("POST", volumes, { ...volume, ...dates });
    expect(created.body).toMatchObject(dates);
    expect((await service.call("GET", `${volumes}/${created.body.id}`)).body).toEqual(created.body);
  } finally {
    await service.close();
    server.run("ALTER ROLE postgres RESET ALL");
  }
});

test("instances share runs: each sees the other, waits for its runs, and takes over what it leaves", async () => {
  const first = await startService();
  const second = await startService({ DATABASE_URL: databaseOf(first) });
  try {
    const instances = await second.call("GET", "/api/v1/instances", undefined, asOperator);
    expect(instances.body.items).toMatchObject([{ alive: true }, { alive: true }]);
    const slow = { simulate: { reserve_paper: { delay_ms: 400 } } };
    const started = await first.call("POST", `/api/v1/sagas/${saga}`, { input: slow }, { "idempotency-key": "one" });
    const waited = await second.call(
      "POST",
      `/api/v1/sagas/${saga}?wait=15`,
      { input: slow },
      { "idempotency-key": "one" },
    );
    expect(waited).toMatchObject({ status: 200, body: { id: started.body.id, status: "completed" } });

    // Retried after a pause: when its instance stops meanwhile, the run is the other's at once, not after the lease.
    const failing = { simulate: { book_press: { fail_times: 1 } } };
    const left = await first.call("POST", `/api/v1/sagas/${saga}`, { input: failing });
    await first.container.close();
    const ended = () => second.call("GET", `/api/v1/runs/${left.body.id}`).then(({ body }) => body.status);
    await expect.poll(ended, { timeout: 5_000 }).toBe("completed");
    const journal = await second.call("GET", `/api/v1/runs/${left.body.id}/journal`, undefined, asOperator);
    expect(JSON.stringify(journal.body.items)).toContain('"claimed"');
    const alive = async () => {
      const { body } = await second.call("GET", "/api/v1/instances", undefined, asOperator);
      return body.items.filter((instance: { alive: boolean }) => instance.alive).length;
    };
    expect(await alive()).toBe(1);
  } finally {
    await first.close();
    await second.close();
  }
});

test("a verb that is sent again under its key, to whichever instance, is one request", async () => {
  const first = await startService();
  const second = await startService({ DATABASE_URL: databaseOf(first) });
  try {
    const slow = { simulate: { reserve_paper: { delay_ms: 400 } } };
    const { body: run } = await first.call("POST", `/api/v1/sagas/${saga}`, { input: slow });
    const cancel = async (service: TestService, key: string) => {
      const headers = { ...asOperator, "idempotency-key": key };
      return (await service.call("POST", `/api/v1/runs/${run.id}/cancel`, { reason: "test" }, headers)).status;
    };
    expect(await cancel(first, "one")).toBe(202);
    const status = () => first.call("GET", `/api/v1/runs/${run.id}`).then(({ body }) => body.status);
    await expect.poll(status, { timeout: 5_000 }).toBe("cancelled");
    expect(await cancel(second, "one")).toBe(202);
    expect(await cancel(second, "two")).toBe(409);
    const journal = await second.call("GET", `/api/v1/runs/${run.id}/journal`, undefined, asOperator);
    expect(JSON.stringify(journal.body.items).match(/cancel-requested/g)).toHaveLength(1);
  } finally {
    await first.close();
    await second.close();
  }
});

function databaseOf({ settings: { database } }: TestService): string {
  if (database.driver !== "postgres") throw new Error("expected a service on PostgreSQL");
  return database.url;
}
