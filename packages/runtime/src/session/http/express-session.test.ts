import type { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMemorySessionStore } from "../../stores/memory/session-store.js";
import { type Intercept, interceptSessionStore } from "../../testing/intercept-session-store.test.support.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createExpressSessionStore, type ExpressSessionModule } from "./express-session.js";
import { serve } from "./http-service.test.support.js";
import type { SidSession } from "./sid-sessions.js";

/** As much of their types as is used; the others claim `request.session` for themselves, as ours do. */
interface TheirModule extends ExpressSessionModule {
  (options: object): RequestHandler;
  readonly Store: new () => EventEmitter;
}
const session = createRequire(import.meta.url)("express-session") as TheirModule;

interface TheirSession {
  [field: string]: unknown;
  readonly cookie: { maxAge: number | null; originalMaxAge: number | null };
  reload(done: (error?: unknown) => void): void;
  save(done: (error?: unknown) => void): void;
}

interface Options {
  readonly session?: object;
  readonly store?: { readonly ttlMs?: number; readonly lifetimeMs?: number };
  readonly intercept?: Intercept;
}

const HOUR = 3_600_000;

async function open(act: (session: TheirSession, query: Record<string, string>) => unknown, options: Options = {}) {
  // Cookies follow the system's clock, so the store's begins there.
  const clock = createManualClock(Date.now());
  const memory = createMemorySessionStore({ clock });
  await memory.open();
  const calls: string[] = [];
  const counted = interceptSessionStore(memory, (method, call) => {
    calls.push(method);
    return options.intercept ? options.intercept(method, call) : call();
  });
  const store = createExpressSessionStore(session, { store: counted, clock, ...options.store });
  const app = express();
  const defaults = { resave: false, saveUninitialized: false, secret: "keyboard cat", cookie: { maxAge: HOUR } };
  const errors: unknown[] = [];
  app.use(session({ ...defaults, store, ...options.session }));
  app.all("/", async (request, response) => {
    const { session } = request as unknown as { session: TheirSession };
    response.json((await act(session, request.query as Record<string, string>)) ?? null);
  });
  app.use(((error, _request, response, next) => {
    errors.push(error);
    if (response.headersSent) next();
    else response.status(error.status ?? 500).json({ code: error.code });
  }) as ErrorRequestHandler);
  const client = await serve(app);
  onTestFinished(client.close);
  const stored = async (): Promise<object[]> => (await memory.list({ limit: 100 })).items.map(({ data }) => data);
  return { ...client, clock, store, memory, calls, errors, stored };
}

/** Reads and changes what the query says. */
function act(session: TheirSession, { set, drop }: Record<string, string>): object {
  const { cookie: _, ...fields } = session;
  if (set !== undefined) session[set] = { n: 1 };
  if (drop !== undefined) delete session[drop];
  return fields;
}

describe("express-session over our stores", () => {
  it.each([true, false])(
    "costs nothing for nobody, one call to read, and one more to write, at resave %s",
    async (resave) => {
      const { call, calls } = await open(act, { session: { resave } });
      expect((await call("GET", "/")).headers["set-cookie"]).toBeUndefined();
      expect(calls).toEqual([]);
      const { cookie } = await call("GET", "/?set=a");
      expect(calls.splice(0)).toEqual(["create"]);
      expect((await call("GET", "/", { cookie })).text).toBe('{"a":{"n":1}}');
      expect(calls.splice(0)).toEqual(["load"]);
      await call("GET", "/?set=b", { cookie });
      expect(calls.splice(0)).toEqual(["load", "commit"]);
      await call("GET", "/?drop=a", { cookie });
      expect((await call("GET", "/", { cookie })).text).toBe('{"b":{"n":1}}');
    },
  );

  it("writes what was changed inside a field, and after an explicit save", async () => {
    const { call, stored } = await open(async (session) => {
      session.cart = { items: [1] };
      await new Promise<void>((resolve) => session.save(() => resolve()));
      (session.cart as { items: number[] }).items.push(2);
    });
    await call("GET", "/");
    expect(await stored()).toEqual([expect.objectContaining({ cart: { items: [1, 2] } })]);
  });

  it("does not bring back what ended between two saves of the request that began it", async () => {
    const web = await open(async (session) => {
      session.a = 1;
      await new Promise<void>((resolve) => session.save(() => resolve()));
      const [begun] = (await web.memory.list({ limit: 1 })).items;
      await web.memory.revoke(begun?.id ?? "");
      session.a = 2;
    });
    await web.call("GET", "/");
    expect(await web.stored()).toEqual([]);
    expect(web.errors).toEqual([expect.objectContaining({ code: "session-not-found" })]);
  });

  it("takes what another request wrote at a reload as the state to compare with", async () => {
    const { call, stored, memory } = await open(async (session, { late }) => {
      if (late === undefined) {
        session.a = 1;
        return;
      }
      const [present] = (await memory.list({ limit: 1 })).items;
      await memory.commit(present?.id ?? "", { set: { b: 2 }, unset: ["a"] });
      await new Promise<void>((resolve) => session.reload(() => resolve()));
    });
    const { cookie } = await call("GET", "/");
    await call("GET", "/?late=1", { cookie });
    expect(await stored()).toEqual([expect.objectContaining({ b: 2 })]);
    expect((await stored())[0]).not.toHaveProperty("a");
  });

  it("slides the idle time with each request, keeps the cookie's age, and ends at the lifetime", async () => {
    const { call, clock } = await open(act, { store: { lifetimeMs: 3 * HOUR } });
    const { cookie } = await call("GET", "/?set=a");
    for (let n = 0; n < 3; n += 1) {
      // express-session reads the system's clock twice to set an age, which may so be a millisecond short.
      clock.advance(HOUR - 10);
      expect((await call("GET", "/", { cookie })).text).toBe('{"a":{"n":1}}');
    }
    clock.advance(29);
    expect((await call("GET", "/", { cookie })).text).toBe('{"a":{"n":1}}');
    clock.advance(1);
    expect((await call("GET", "/", { cookie })).text).toBe("{}");
  });

  it("ends a session without an age of its cookie by the store's idle time", async () => {
    const { call, clock } = await open(act, { session: { cookie: {} }, store: { ttlMs: 1_000 } });
    const { cookie, headers } = await call("GET", "/?set=a");
    expect(headers["set-cookie"]?.[0]).not.toContain("Expires");
    clock.advance(999);
    expect((await call("GET", "/", { cookie })).text).not.toBe("{}");
    clock.advance(1_000);
    expect((await call("GET", "/", { cookie })).text).toBe("{}");
  });

  it("keeps a shorter age that a request gives its session, and slides by it", async () => {
    const { call, clock } = await open((session, { shorter }) => {
      if (shorter !== undefined) session.cookie.maxAge = 60_000;
      session.a ??= 1;
      return session.a;
    });
    const { cookie } = await call("GET", "/");
    await call("GET", "/?shorter=1", { cookie });
    // Their cookie follows the real clock, so only the store's deadlines are looked at.
    for (let n = 0; n < 3; n += 1) {
      clock.advance(50_000);
      expect((await call("GET", "/", { cookie })).headers["set-cookie"]).toBeUndefined();
    }
    clock.advance(60_000);
    expect((await call("GET", "/", { cookie })).headers["set-cookie"]).toBeDefined();
  });

  it("says so when a session is to live longer than it began with", async () => {
    const { call, errors } = await open((session, { longer }) => {
      if (longer !== undefined) session.cookie.maxAge = 2 * HOUR;
      session.a ??= 1;
    });
    const { cookie } = await call("GET", "/");
    await call("GET", "/?longer=1", { cookie });
    expect(errors).toEqual([expect.objectContaining({ code: "input-invalid", details: { what: "cookie.maxAge" } })]);
  });

  it("fails the request while the store is down, and never serves it as nobody's", async () => {
    const { call, memory, store } = await open(act);
    const { cookie } = await call("GET", "/?set=a");
    await memory.close();
    const refused = await call("GET", "/", { cookie });
    expect([refused.status, refused.text]).toEqual([503, '{"code":"store-unavailable"}']);
    await memory.open();
    expect((await call("GET", "/", { cookie })).text).toBe('{"a":{"n":1}}');
    expect(store.listenerCount("disconnect")).toBeGreaterThan(0);
  });

  it("keeps no sid in the store", async () => {
    const { call, memory } = await open(act);
    const { cookie = "" } = await call("GET", "/?set=a");
    const sid = /s%3A([^.]+)/.exec(cookie)?.[1] ?? "";
    expect(sid).toHaveLength(32);
    expect(JSON.stringify(await memory.list({ limit: 9 }))).not.toContain(sid);
  });

  it("takes a session that it cannot read for none", async () => {
    const { call, memory } = await open(act);
    const { cookie } = await call("GET", "/?set=a");
    const [item] = (await memory.list({ limit: 1 })).items;
    await memory.commit(item?.id ?? "", { set: { cookie: "of an older version" } });
    expect((await call("GET", "/", { cookie })).text).toBe("{}");
  });
});

describe("the store of express-session", () => {
  const cookie = { originalMaxAge: HOUR, expires: null };

  async function openStore() {
    const memory = createMemorySessionStore();
    await memory.open();
    const store = createExpressSessionStore(session, { store: memory });
    const called = <T>(act: (done: (error?: unknown, value?: T) => void) => void): Promise<T | undefined> =>
      new Promise((resolve, reject) => act((error, value) => (error ? reject(error) : resolve(value))));
    return { memory, store, called };
  }

  it("gets, sets, destroys, counts, lists and clears, as their memory store does", async () => {
    const { store, called } = await openStore();
    expect(await called((done) => store.get("a", done))).toBeNull();
    await called((done) => store.set("a", { cookie, n: 1 }, done));
    await called((done) => store.set("b", { cookie, n: 2 }, done));
    expect(await called((done) => store.get("a", done))).toMatchObject({ n: 1, cookie: { originalMaxAge: HOUR } });
    expect(await called<number>((done) => store.length(done))).toBe(2);
    expect((await called<SidSession[]>((done) => store.all(done)))?.map(({ n }) => n).sort()).toEqual([1, 2]);
    await called((done) => store.touch("a", { cookie }, done));
    await called((done) => store.touch("missing", { cookie }, done));
    await called((done) => store.destroy("a", done));
    await called((done) => store.destroy("a", done));
    expect(await called((done) => store.get("a", done))).toBeNull();
    await called((done) => store.clear(done));
    expect(await called<number>((done) => store.length(done))).toBe(0);
  });

  it("makes a session what it is set to by somebody who never loaded it", async () => {
    const { store, called } = await openStore();
    await called((done) => store.set("a", { cookie, n: 1, m: 1 }, done));
    await called((done) => store.set("a", { cookie, n: 2 }, done));
    const { cookie: _, ...fields } = (await called<SidSession | null>((done) => store.get("a", done))) ?? {};
    expect(fields).toEqual({ n: 2 });
  });

  it("leaves sessions of others in the same store alone", async () => {
    const { store, memory, called } = await openStore();
    const whose = { id: "x".repeat(36), kind: "login", tokenHash: "h", subject: null, data: { n: 1 } } as const;
    await memory.create({ ...whose, idleMs: HOUR, absoluteMs: HOUR });
    await called((done) => store.clear(done));
    expect(await called<number>((done) => store.length(done))).toBe(0);
    expect(await memory.loadById(whose.id)).toBeDefined();
  });

  it("calls back once, also when the callback throws", async () => {
    const { store } = await openStore();
    const calls: unknown[] = [];
    const thrown = new Promise((resolve) => {
      const others = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", (error) => {
        for (const other of others) process.on("uncaughtException", other);
        resolve(error);
      });
    });
    store.get("missing", (...args) => {
      calls.push(args);
      throw new Error("of the callback");
    });
    expect(await thrown).toMatchObject({ message: "of the callback" });
    await new Promise((resolve) => store.get("other", resolve));
    expect(calls).toEqual([[null, null]]);
  });

  it("gives errors to the callback, and lives without one", async () => {
    const { store, memory } = await openStore();
    await memory.close();
    const codes: unknown[] = [];
    const note = (done: () => void) => (error?: unknown) => {
      codes.push((error as { code?: unknown }).code);
      done();
    };
    await new Promise<void>((done) => store.get("a", note(done)));
    await new Promise<void>((done) => store.set("a", { cookie }, note(done)));
    await new Promise<void>((done) => store.all(note(done)));
    store.set("a", { cookie });
    store.destroy("a");
    store.clear();
    await new Promise<void>((done) => store.destroy("a", note(done)));
    expect(codes).toEqual(Array(4).fill("store-unavailable"));
  });

  it("refuses times that are none", () => {
    for (const key of ["ttlMs", "lifetimeMs"]) {
      const options = { store: createMemorySessionStore(), [key]: 0 };
      expect(() => createExpressSessionStore(session, options)).toThrow(
        expect.objectContaining({ code: "config-invalid", details: { key } }),
      );
    }
  });
});
