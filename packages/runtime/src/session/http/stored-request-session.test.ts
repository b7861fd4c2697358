import fastify, { type FastifyInstance } from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULT_CONFIG } from "../../config.js";
import { systemPorts } from "../../ports.js";
import { createMemorySessionStore } from "../../stores/memory/session-store.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createSessionManager } from "../session-manager.js";
import { type FastifySessionOptions, fastifySessions } from "./fastify.js";

const PERIOD_MS = 1_000;
const GRACE_MS = 100;
const TOKEN = /^[\w-]{80}$/;

describe("a session that a route begins", () => {
  it("has no fields, and is there at once", async () => {
    const { call } = await setUp((app) =>
      app.post("/begin", async ({ session }) => {
        await session.begin({ ttlMs: 5_000 });
        return { stored: session.stored, transport: session.transport };
      }),
    );
    const begun = await call("POST", "/begin");
    expect(begun.body).toMatchObject({ stored: { data: {}, subject: null, revision: 1 }, transport: "cookie" });
    expect(begun.cookie).toMatch(TOKEN);
  });

  it("takes the place of the one there was, of which nothing is left", async () => {
    const { call, sessions } = await setUp((app) =>
      app.post("/begin", async ({ session }) => {
        session.set("pending", true);
        await session.begin({ data: { fresh: 1 } });
        return { stored: session.stored, pending: session.has("pending") };
      }),
    );
    const { session, token } = await sessions.create({ data: { old: 1 } });
    const begun = await call("POST", "/begin", { cookie: token });
    expect(begun.body).toMatchObject({ stored: { data: { fresh: 1 }, revision: 1 }, pending: false });
    expect(begun.body.stored.id).not.toBe(session.id);
    expect(await sessions.load(token)).toBeUndefined();
    expect(await sessions.load(begun.cookie ?? "")).toMatchObject({ data: { fresh: 1 } });
  });

  it("is refused to a page of another site", async () => {
    const { call } = await setUp((app) => app.post("/begin", async ({ session }) => session.begin()));
    const refused = await call("POST", "/begin", { "sec-fetch-site": "cross-site" });
    expect([refused.status, refused.body.code, refused.cookie]).toEqual([403, "session-csrf", undefined]);
  });

  it("travels as the route says, whatever the request came with", async () => {
    const { call, sessions } = await setUp(
      (app) => {
        app.post("/begin", async ({ session }) => session.begin({}, "cookie"));
        app.post("/login", async ({ session }) => session.signIn({ subject: "ann" }, "cookie"));
      },
      { bearer: true },
    );
    for (const path of ["/begin", "/login"]) {
      const { token } = await sessions.create();
      const answer = await call("POST", path, { bearer: token });
      expect([answer.cookie, answer.header]).toEqual([expect.stringMatching(TOKEN), undefined]);
      expect(await sessions.load(token)).toBeUndefined();
    }
  });
});

describe("a token that is old", () => {
  const route = (app: FastifyInstance): void => {
    app.get("/", async ({ session }) => ({ id: session.id }));
    app.get("/late", { config: { session: false } }, async ({ session }) => {
      await session.load({ rotate: false });
      return { id: session.id };
    });
  };

  it("is kept by a route whose answer comes late, and replaced by the next one", async () => {
    const { call, sessions, clock } = await setUp(route);
    const { session, token } = await sessions.create();
    clock.advance(PERIOD_MS);
    expect(await call("GET", "/late", { cookie: token })).toMatchObject({
      body: { id: session.id },
      cookie: undefined,
    });
    const next = await call("GET", "/", { cookie: token });
    expect(next).toMatchObject({ body: { id: session.id }, cookie: expect.stringMatching(TOKEN) });
    // In its grace a late answer takes the former, too, and tells of no other.
    expect(await call("GET", "/late", { cookie: token })).toMatchObject({
      body: { id: session.id },
      cookie: undefined,
    });
  });

  it("stays when a client holds it itself and was told so", async () => {
    const { call, sessions, clock } = await setUp(route, { bearer: { rotate: false } });
    const { session, token } = await sessions.create();
    clock.advance(PERIOD_MS);
    const kept = await call("GET", "/", { bearer: token });
    expect([kept.body.id, kept.header]).toEqual([session.id, undefined]);
    expect((await call("GET", "/", { cookie: token })).cookie).toMatch(TOKEN);
  });

  it("is replaced in the header for a client that looks there", async () => {
    const { call, sessions, clock } = await setUp(route, { bearer: true });
    const { token } = await sessions.create();
    clock.advance(PERIOD_MS);
    expect((await call("GET", "/", { bearer: token })).header).toMatch(TOKEN);
  });
});

async function setUp(routes: (app: FastifyInstance) => void, options: Partial<FastifySessionOptions> = {}) {
  const clock = createManualClock();
  const ports = { ...systemPorts, clock };
  const sessions = createSessionManager({
    ...{ store: createMemorySessionStore({ clock }), config: DEFAULT_CONFIG.context, ports },
    rotation: { periodMs: PERIOD_MS, graceMs: GRACE_MS },
  });
  await sessions.open();
  const app = fastify();
  await app.register(fastifySessions, { sessions, ports, cookie: { secure: false }, ...options });
  routes(app);
  onTestFinished(async () => {
    await app.close();
    await sessions.close();
  });
  const call = async (
    method: "GET" | "POST",
    url: string,
    { cookie, bearer, ...headers }: Record<string, string> = {},
  ) => {
    const answer = await app.inject({
      ...{ method, url },
      headers: {
        "sec-fetch-site": "same-origin",
        ...(cookie !== undefined && { cookie: `session=${cookie}` }),
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
    });
    const set = /^session=([^;]+)/.exec(String(answer.headers["set-cookie"] ?? ""))?.[1];
    const body = answer.payload === "" ? {} : answer.json();
    return { status: answer.statusCode, body, cookie: set, header: answer.headers["session-token"] };
  };
  return { call, sessions, clock };
}
