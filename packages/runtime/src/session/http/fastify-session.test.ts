import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import Fastify, { type FastifyPluginAsync, type FastifyPluginCallback } from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMemorySessionStore } from "../../stores/memory/session-store.js";
import { interceptSessionStore } from "../../testing/intercept-session-store.test.support.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createFastifySessionStore } from "./fastify-session.js";
import { clientOf } from "./http-service.test.support.js";

// Their types claim `request.session` for themselves, as ours do; so they are loaded without.
const require = createRequire(import.meta.url);
const fastifyCookie = require("@fastify/cookie") as FastifyPluginCallback;
const fastifySession = require("@fastify/session") as FastifyPluginAsync<object>;
const HOUR = 3_600_000;

interface TheirSession {
  [field: string]: unknown;
  save(): Promise<void>;
  reload(): Promise<void>;
  regenerate(keep?: string[]): Promise<void>;
}

async function open(act: (session: TheirSession, query: Record<string, string>) => unknown, options: object = {}) {
  // Cookies follow the system's clock, so the store's begins there.
  const clock = createManualClock(Date.now());
  const memory = createMemorySessionStore({ clock });
  await memory.open();
  const calls: string[] = [];
  const counted = interceptSessionStore(memory, (method, call) => {
    calls.push(method);
    return call();
  });
  const app = Fastify();
  await app.register(fastifyCookie);
  const store = createFastifySessionStore({ store: counted, clock, lifetimeMs: 3 * HOUR });
  const defaults = { saveUninitialized: false, secret: "a secret of at least thirty-two characters" };
  const all: object = { ...defaults, cookie: { secure: false, maxAge: HOUR }, store, ...options };
  await app.register(fastifySession, all);
  app.all("/", async (request) => {
    const { session } = request as unknown as { session: TheirSession };
    return (await act(session, request.query as Record<string, string>)) ?? null;
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const client = clientOf((app.server.address() as AddressInfo).port, () => app.close());
  onTestFinished(client.close);
  const stored = async (): Promise<object[]> => (await memory.list({ limit: 100 })).items.map(({ data }) => data);
  return { ...client, clock, memory, calls, stored };
}

/** Reads and changes what the query says. */
function act(session: TheirSession, { set, drop }: Record<string, string>): object {
  const fields = { a: session.a, b: session.b };
  if (set !== undefined) session[set] = { n: 1 };
  if (drop !== undefined) delete session[drop];
  return fields;
}

describe("@fastify/session over our stores", () => {
  it.each([true, false])(
    "costs nothing for nobody, one call to read, and one more to write, at rolling %s",
    async (rolling) => {
      const { call, calls } = await open(act, { rolling });
      expect((await call("GET", "/")).headers["set-cookie"]).toBeUndefined();
      expect(calls).toEqual([]);
      const { cookie } = await call("GET", "/?set=a");
      expect(calls.splice(0)).toEqual(["create"]);
      const read = await call("GET", "/", { cookie });
      expect([read.text, read.headers["set-cookie"] !== undefined]).toEqual(['{"a":{"n":1}}', rolling]);
      expect(calls.splice(0)).toEqual(["load"]);
      await call("GET", "/?set=b", { cookie });
      expect(calls.splice(0)).toEqual(["load", "commit"]);
      await call("GET", "/?drop=a", { cookie });
      expect((await call("GET", "/", { cookie })).text).toBe('{"b":{"n":1}}');
    },
  );

  it("stores the fields and the cookie's attributes, and nothing of its own", async () => {
    const { call, stored } = await open(act);
    const { cookie } = await call("GET", "/?set=a");
    await call("GET", "/?set=b", { cookie });
    const attributes = expect.objectContaining({ originalMaxAge: HOUR, path: "/", httpOnly: true });
    expect(await stored()).toEqual([{ a: { n: 1 }, b: { n: 1 }, cookie: attributes }]);
  });

  it("writes what was changed inside a field, after an explicit save and after a reload", async () => {
    const { call, stored } = await open(async (session) => {
      session.cart = { items: [1] };
      await session.save();
      (session.cart as { items: number[] }).items.push(2);
      await session.save();
    });
    await call("GET", "/");
    expect(await stored()).toEqual([expect.objectContaining({ cart: { items: [1, 2] } })]);
  });

  it("slides the idle time by reading alone, and ends at the lifetime", async () => {
    const { call, clock } = await open(act, { rolling: false });
    const { cookie } = await call("GET", "/?set=a");
    for (let n = 0; n < 3; n += 1) {
      clock.advance(HOUR - 10);
      expect((await call("GET", "/", { cookie })).text).toBe('{"a":{"n":1}}');
    }
    clock.advance(30);
    expect((await call("GET", "/", { cookie })).text).toBe("{}");
  });

  it("does not bring back what ended between two saves of the request that began it", async () => {
    const web = await open(async (session) => {
      session.a = 1;
      await session.save();
      const [begun] = (await web.memory.list({ limit: 1 })).items;
      await web.memory.revoke(begun?.id ?? "");
      session.a = 2;
    });
    const { status, text } = await web.call("GET", "/");
    expect([status, JSON.parse(text).code]).toEqual([401, "session-not-found"]);
    expect(await web.stored()).toEqual([]);
  });

  it("takes along at a regenerate only what is named, and leaves the old id dead", async () => {
    const { call, stored } = await open(async (session, { enter }) => {
      if (enter === undefined) return act(session, { set: "a" });
      await session.regenerate(["a"]);
      return null;
    });
    const { cookie } = await call("GET", "/");
    const { cookie: entered } = await call("GET", "/?enter=1", { cookie });
    expect(entered).not.toBe(cookie);
    expect(await stored()).toEqual([expect.objectContaining({ a: { n: 1 } })]);
    expect((await call("GET", "/", { cookie })).text).toBe("{}");
  });

  it("fails the request while the store is down, and never serves it as nobody's", async () => {
    const { call, memory } = await open(act);
    const { cookie } = await call("GET", "/?set=a");
    await memory.close();
    const refused = await call("GET", "/", { cookie });
    expect([refused.status, JSON.parse(refused.text).code]).toEqual([503, "store-unavailable"]);
    expect((await call("GET", "/?set=a")).status).toBe(503);
    await memory.open();
    expect((await call("GET", "/", { cookie })).text).toBe('{"a":{"n":1}}');
  });
});
