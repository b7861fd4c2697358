/** What only a server does with sessions: it is shared by instances, stops, comes back, and lets some in and others not. */
import { type Redis, startRedis, startRedisCluster } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError } from "../../src/infrastructure/config/config-error.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { createSessionStore, createSessions } from "../../src/infrastructure/session/manager.js";
import { openSessions } from "../../src/infrastructure/session/open.js";
import { asOperator, startService, type TestService } from "../integration/service.js";

let server: Redis;
beforeAll(async () => {
  server = await startRedis({ persistence: "always" });
}, 60_000);
afterAll(() => server?.remove());

const silent = createLogger("test", "silent");
const PATH = "/api/v1/sessions";
const CURRENT = `${PATH}/current`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const start = (environment: Record<string, string> = {}): Promise<TestService> =>
  startService({ SESSION_CONTEXT_STORAGE: "redis", REDIS_URL: server.url, ...environment });
const login = async (service: TestService, session: object = {}) =>
  (await service.call("POST", PATH, { transport: "bearer", ...session })).body;
const current = (service: TestService, token: string) => service.call("GET", CURRENT, undefined, bearer(token));

async function withServices(use: (...services: TestService[]) => Promise<void>, ...starting: Promise<TestService>[]) {
  const services = await Promise.all(starting);
  try {
    await use(...services);
  } finally {
    await Promise.all(services.map((service) => service.close()));
  }
}

test("instances know each other's sessions, and end them for each other at once", async () => {
  await withServices(
    async (one, other) => {
      const { token, id } = await login(one as TestService, { subject: "ann", data: { cart: 1 } });
      expect((await current(other as TestService, token)).body).toMatchObject({ id, data: { cart: 1 } });
      const listed = await other?.call("GET", `${PATH}?subject=ann`, undefined, asOperator);
      expect(listed?.body.items).toMatchObject([{ id }]);
      expect((await other?.call("DELETE", `${PATH}?subject=ann`, undefined, asOperator))?.body).toEqual({ revoked: 1 });
      expect((await current(one as TestService, token)).status).toBe(401);
    },
    start(),
    start(),
  );
});

test("a Redis that stops is 503 and named by readiness, and nobody is let in or logged out by it", async () => {
  await withServices(async (service) => {
    if (service === undefined) return;
    const { token } = await login(service);
    await server.stop();
    try {
      for (const refused of [await current(service, token), await service.call("POST", PATH)]) {
        expect(refused).toMatchObject({ status: 503, body: { code: "store-unavailable" } });
        expect(refused.headers.get("retry-after")).toBe("1");
        expect(refused.headers.get("set-cookie")).toBeNull();
      }
      const down = { status: "down", dependencies: { sessions: { status: "down" } } };
      expect(await service.call("GET", "/health/ready")).toMatchObject({ status: 503, body: down });
      expect((await service.call("GET", "/health/live")).status).toBe(200);
      // What needs no session is served.
      expect((await service.call("GET", "/openapi.json")).status).toBe(200);
    } finally {
      await server.start();
    }
    const ready = () => service.call("GET", "/health/ready").then(({ status }) => status);
    await expect.poll(ready, { timeout: 15_000 }).toBe(200);
    expect((await current(service, token)).status).toBe(200);
  }, start());
});

test("a start waits for a Redis that comes late, and is refused when none comes, without its password", async () => {
  await withServices(async (service) => {
    if (service === undefined) return;
    const url = server.url.replace("redis://", "redis://:hidden@");
    const settings = { ...service.settings, sessionStorage: { kind: "redis", url } } as const;
    const open = async (patienceMs?: number) => {
      const store = createSessionStore(settings, silent);
      const sessions = createSessions(settings, { store, events: () => {}, logger: silent });
      await openSessions(settings, sessions, silent, patienceMs).finally(() => sessions.close());
    };
    await server.kill();
    const told = await open(0).catch((error: unknown) => error);
    const opened = open();
    await server.start();
    expect(told).toBeInstanceOf(ConfigError);
    expect(told).toMatchObject({ issues: [{ key: "redis.url", got: expect.stringContaining(`${server.url} (`) }] });
    expect(String(told)).not.toContain("hidden");
    expect(await opened).toBeUndefined();
  }, start());
});

test("a user whom Redis does not let in is refused at the start at once", async () => {
  await server.command("acl", "setuser", "reader", "on", ">hidden");
  const url = server.url.replace("redis://", "redis://reader:wrong@");
  const told = await start({ REDIS_URL: url }).catch((error: unknown) => error);
  expect(told).toMatchObject({ issues: [{ source: expect.stringContaining("REDIS_URL"), key: "redis.url" }] });
  expect(String(told)).toContain("WRONGPASS");
  expect(String(told)).not.toContain("wrong@");
});

test("a copy of the server opens no session, and shows nothing of what they hold when they are encrypted", async () => {
  await server.command("flushall");
  await withServices(
    async (service) => {
      if (service === undefined) return;
      const { token } = await login(service, { subject: "ann", data: { card: "4000 1234" } });
      expect((await current(service, token)).body.data).toEqual({ card: "4000 1234" });
      const keys = (await server.command("keys", "*")).split("\n").filter((key) => key !== "");
      const dump = await Promise.all(keys.map(async (key) => `${key} ${await server.command("dump", key)}`));
      expect(dump.length).toBeGreaterThan(0);
      const texts = dump.join("\n");
      expect(texts).not.toContain(token.slice(36));
      expect(texts).not.toContain("4000 1234");
    },
    start({ SESSION_CONTEXT_ENCRYPTION_ENABLED: "true" }),
  );
});

test("several urls are the nodes of one cluster, and sessions are found wherever they lie", async () => {
  const cluster = await startRedisCluster();
  try {
    await withServices(
      async (service) => {
        if (service === undefined) return;
        const subjects = ["ann", "ben", "carl", "dora"];
        const tokens = await Promise.all(subjects.map(async (subject) => (await login(service, { subject })).token));
        for (const [at, token] of tokens.entries())
          expect((await current(service, token)).body.subject).toBe(subjects[at]);
        expect((await service.call("GET", PATH, undefined, asOperator)).body.items).toHaveLength(subjects.length);
        const all = await service.call("DELETE", `${PATH}?all=true`, undefined, asOperator);
        expect(all.body).toEqual({ revoked: subjects.length });
        for (const token of tokens) expect((await current(service, token)).status).toBe(401);
      },
      start({ REDIS_URL: cluster.urls.slice(0, 2).join(",") }),
    );
  } finally {
    await cluster.remove();
  }
}, 60_000);
