import { describe, expect, test } from "vitest";

import { exampleText, modelOf } from "./fixture.test.support.js";

const stages = (model: ReturnType<typeof modelOf>) =>
  model.sagas.flatMap((saga) => saga.waves.flatMap((wave) => wave.stages));
const calls = (model: ReturnType<typeof modelOf>) =>
  stages(model).flatMap((stage) => (stage.kind === "call" ? [stage] : []));

describe("the model of the example", () => {
  const model = modelOf(exampleText("example-config-session.yaml"));

  test("has its services with resolved transports, and handlers of the local one", () => {
    expect(model.services.map(({ name, transport, declared }) => [name.raw, transport, declared])).toEqual([
      ["order_service", "local", true],
      ["inventory_service", "simulated", true],
      ["payment_service", "simulated", true],
      ["shipping_service", "simulated", true],
    ]);
    expect(
      model.services[0]?.handlers.map(({ endpoint, name, kind, stages }) => [endpoint, name.kebab, kind, stages]),
    ).toEqual([["/validate", "validate", "action", ["validate_order"]]]);
  });

  test("has its saga in waves, timeouts in milliseconds, compensations at their stages", () => {
    expect(model.sagas.map(({ name, timeoutMs, timeoutWritten }) => [name.raw, timeoutMs, timeoutWritten])).toEqual([
      ["order_processing", 1_800_000, true],
    ]);
    expect(
      calls(model).map(({ name, timeoutMs, compensation }) => [name.raw, timeoutMs, compensation?.action]),
    ).toEqual([
      ["validate_order", 60_000, undefined],
      ["reserve_inventory", 60_000, "/release"],
      ["process_payment", 120_000, "/refund"],
      ["ship_order", 300_000, undefined],
    ]);
    expect(model.sagas[0]?.waves.every((wave) => !wave.parallel && wave.stages.length === 1)).toBe(true);
  });

  test("has its batch with schedule and source", () => {
    expect(model.batches[0]).toMatchObject({
      name: { raw: "nightly_settlement" },
      schedule: { cron: "0 2 * * *", timezone: "UTC", overlap: "skip", catchUp: false, input: null },
      source: { kind: "entity", entity: { pascal: "Order" }, where: { status: "confirmed" } },
      chunkSize: 100,
      concurrency: 4,
      maxFailures: 50,
    });
  });

  test("has its entities with tables and references", () => {
    expect(model.entities.map(({ name, plural }) => [name.pascal, plural.snake])).toEqual([
      ["Order", "orders"],
      ["OrderLine", "order_lines"],
    ]);
    expect(model.entities[0]?.indexes).toEqual([
      { name: "idx_orders_customer_id", fields: ["customer_id"], unique: false },
    ]);
    expect(model.entities[0]?.fields.find(({ name }) => name.raw === "total")).toMatchObject({
      min: "0",
      default: undefined,
    });
    expect(model.entities[1]?.fields[0]?.reference).toMatchObject({ entity: { pascal: "Order" }, onDelete: "cascade" });
  });

  test("names one variable for each setting, and no two alike", () => {
    const names = model.environment.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of [
      "HTTP_PORT",
      "DATABASE_URL",
      "SESSION_CONTEXT_TTL",
      "SERVICES_INVENTORY_SERVICE_URL",
      "PORT",
      "OPERATOR_TOKEN",
    ]) {
      expect(names).toContain(name);
    }
    expect(model.environment.filter(({ description }) => description === "")).toEqual([]);
  });
});

describe("the model", () => {
  test("of the fragment simulates the undeclared service and keeps the waiting compensation", () => {
    const model = modelOf(exampleText("fragment.yaml"), "fragment");
    expect(model.project.name.kebab).toBe("fragment");
    expect(model.services.map(({ name, transport, declared }) => [name.raw, transport, declared])).toEqual([
      ["order_service", "simulated", false],
      ["payment_service", "simulated", false],
    ]);
    expect(model.sagas[0]?.waitingCompensations.map(({ stage, action }) => [stage, action])).toEqual([
      ["process_payment", "/refund"],
    ]);
    expect(calls(model).map(({ compensation }) => compensation)).toEqual([null]);
  });

  test("has how long runs are kept, and how many crashes park one, in the settings and the environment", () => {
    const { session, settings, environment } = modelOf(
      "session: { recovery: { max_crashes: 2 }, retention: { ended: 48h } }",
    );
    expect([session.recovery.maxCrashes, session.retention]).toEqual([2, { endedMs: 48 * 3_600_000 }]);
    expect(settings.session).toMatchObject({
      recovery: { max_crashes: 2 },
      retention: { enabled: true, ended: 172_800 },
    });
    expect(environment.filter(({ name }) => /RETENTION|CRASHES/.test(name))).toMatchObject([
      { name: "SESSION_RECOVERY_MAX_CRASHES", default: "2" },
      { name: "SESSION_RETENTION_ENABLED", default: "true" },
      { name: "SESSION_RETENTION_ENDED", default: "172800" },
    ]);
    expect(modelOf("session: { retention: { enabled: false } }").session.retention).toEqual({ endedMs: null });
    expect(modelOf("session: {}").session.retention).toEqual({ endedMs: 30 * 24 * 3_600_000 });
  });

  test("has how sessions live in the settings, and their variables also where nothing is written", () => {
    const text =
      "redis: { url: 'redis://r' }\nsession: { cookie: { name: shop }, rotation: { period: 15m }, limits: { per_subject: 3 } }";
    const { redisUrl, settings, environment } = modelOf(text);
    expect(redisUrl).toBe("redis://r");
    expect(settings).toMatchObject({
      redis: { url: "redis://r" },
      session: {
        context: { storage: "redis", encryption: { enabled: false } },
        cookie: { name: "shop", same_site: "lax" },
        rotation: { period: 900, grace_period: 30 },
        limits: { per_subject: 3, policy: "evict_oldest" },
      },
    });
    const names = environment.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const bare = modelOf("session: {}");
    expect(bare.settings.session).toMatchObject({ rotation: { grace_period: 30 }, limits: { policy: "evict_oldest" } });
    expect(bare.environment.map(({ name, default: value }) => `${name}=${value}`)).toEqual(
      expect.arrayContaining([
        "REDIS_URL=null",
        "SESSION_COOKIE_NAME=session",
        "SESSION_COOKIE_SAME_SITE=lax",
        "SESSION_ROTATION_PERIOD=null",
        "SESSION_ROTATION_GRACE_PERIOD=30",
        "SESSION_LIMITS_PER_SUBJECT=null",
        "SESSION_LIMITS_POLICY=evict_oldest",
        "SESSION_CONTEXT_ENCRYPTION_ENABLED=false",
        "SESSION_ENCRYPTION_KEYS=null",
      ]),
    );
  });

  test("resolves retry key by key: stage, service, recovery", () => {
    const model = modelOf(`
services: { s: { url: "http://s/", timeout: 5, retry: { max_attempts: 7, backoff: fixed } }, p: {} }
session: { recovery: { initial_delay: 2s, backoff: linear } }
long_running:
  tasks:
    - name: t
      stages:
        - { name: a, service: s, endpoint: a, retry: { max_attempts: 2 } }
        - { parallel: [{ name: b, service: p, endpoint: /b }, { name: c, service: s, endpoint: /c }], pivot: true }
`);
    const rest = { initialDelayMs: 2000, maxDelayMs: 60_000, jitter: "full", nonRetryable: [] };
    expect(
      calls(model).map(({ endpoint, timeoutMs, retry, retryWritten }) => ({
        endpoint,
        timeoutMs,
        retry,
        retryWritten,
      })),
    ).toEqual([
      { endpoint: "/a", timeoutMs: 5000, retry: { maxAttempts: 2, backoff: "fixed", ...rest }, retryWritten: true },
      { endpoint: "/b", timeoutMs: 30_000, retry: { maxAttempts: 5, backoff: "linear", ...rest }, retryWritten: false },
      { endpoint: "/c", timeoutMs: 5000, retry: { maxAttempts: 7, backoff: "fixed", ...rest }, retryWritten: true },
    ]);
    expect(model.sagas[0]?.waves.map(({ parallel, pivot }) => [parallel, pivot])).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(model.services[0]?.url).toBe("http://s");
  });

  test("has timers, waits and children as what they are", () => {
    const model = modelOf(`
long_running:
  tasks:
    - { name: parent, stages: [{ name: nap, sleep: 2m, when: input.tired }, { name: until, sleep: "\${ input.at }" }, { name: go, wait_for: go.on, timeout: 5, on_timeout: refuse }, { parallel: [{ name: run, saga: child, input: { a: 1 } }] }] }
    - { name: child, stages: [{ name: a, service: s, endpoint: /a }, { name: any, wait_for: any }] }
`);
    const named = { name: expect.anything(), when: null };
    expect(stages(model).filter(({ kind }) => kind !== "call")).toEqual([
      { ...named, kind: "sleep", delay: 120_000, when: "input.tired" },
      { ...named, kind: "sleep", delay: "${ input.at }" },
      { ...named, kind: "wait", signal: "go.on", timeoutMs: 5_000, onTimeout: "refuse" },
      { ...named, kind: "child", saga: "child", input: { a: 1 } },
      { ...named, kind: "wait", signal: "any", timeoutMs: null, onTimeout: "fail" },
    ]);
    expect(model.services.map(({ name }) => name.raw)).toEqual(["s"]);
  });

  test("puts entities after those they need", () => {
    const field = (target: string): string => `{ name: to, type: reference, entity: ${target}, required: true }`;
    const model = modelOf(
      `domain: { entities: [{ name: A, fields: [${field("B")}] }, { name: B, fields: [{ name: x, type: text }] }] }`,
    );
    expect(model.entities.map(({ name }) => name.raw)).toEqual(["B", "A"]);
  });

  test("has no sagas when they are off, and one attempt when recovery is", () => {
    const text = exampleText("example-config-session.yaml").replace("enabled: true", "enabled: false");
    expect(modelOf(text).sagas).toEqual([]);
    expect(modelOf("session: {recovery: {enabled: false}}").session.recovery.retry.maxAttempts).toBe(1);
  });

  test("reads a checkpoint's interval by its strategy", () => {
    const of = (text: string) => modelOf(`session: {checkpoint: {${text}}}`).session.checkpoint;
    expect(of("strategy: time, interval: 5s")).toMatchObject({ intervalMs: 5000, everySteps: null });
    expect(of("strategy: count, interval: 5")).toMatchObject({ intervalMs: null, everySteps: 5 });
    expect(of("strategy: count")).toMatchObject({ everySteps: 30 });
    expect(of("strategy: manual")).toMatchObject({ intervalMs: null, everySteps: null });
  });

  test("takes the database for a file or a server as its driver or its url says, and leaves it open when neither does", () => {
    const of = (text: string) => {
      const { database, settings, environment } = modelOf(`database: {${text}}`, "books");
      const variable = environment.find(({ name }) => name === "DATABASE_URL");
      return { ...database, settings: settings.database, variable: variable?.default };
    };
    const [file, url] = ["data/books.db", "postgresql://host/books"];
    expect(of("")).toEqual({
      driver: null,
      url: null,
      file,
      settings: { url: `file:${file}` },
      variable: `file:${file}`,
    });
    expect(of("driver: sqlite, url: 'file:a.db'")).toMatchObject({
      driver: "sqlite",
      file: "a.db",
      variable: "file:a.db",
    });
    const server = { driver: "postgres", url, file, variable: url };
    expect(of(`url: '${url}', pool: 5`)).toEqual({ ...server, settings: { url, pool: 5 } });
    expect(of(`driver: postgres, url: '${url}'`)).toMatchObject({ ...server, settings: { driver: "postgres", url } });
    // The url of a server may hold a password, so it may come from the environment alone.
    const elsewhere = { driver: "postgres", url: null, file, settings: { driver: "postgres" }, variable: null };
    expect(of("driver: postgres")).toEqual(elsewhere);
  });

  test("has one hash for one meaning", () => {
    const hash = (text: string): string => modelOf(text).source.configHash;
    expect(hash("session: {context: {ttl: 60, prefix: a}}")).toBe(
      hash('session:\n  context: {prefix: "a", ttl: 1m}\n'),
    );
    expect(hash("session: {context: {ttl: 60}}")).not.toBe(hash("session: {context: {ttl: 61}}"));
  });
});
