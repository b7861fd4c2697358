import { describe, expect, it } from "vitest";
import { RuntimeError } from "../../errors.js";
import type { RequestSession } from "./request-session.js";
import { FRAMEWORKS, openWeb } from "./web-service.test.support.js";

const down = (): Promise<never> =>
  Promise.reject(new RuntimeError("store-unavailable", "expected the store to answer, got nothing"));

describe.each(FRAMEWORKS)("the session of a request on %s", (framework) => {
  const open = (options: Parameters<typeof openWeb>[1] = {}) => openWeb(framework, options);

  describe("costs", () => {
    it("nothing without a token: no call of the store, no cookie, also when it is looked at", async () => {
      const { call, calls } = await open();
      for (const path of ["/ignore", "/whoami", "/read", "/csrf", "/logout"]) {
        expect((await call("POST", path)).headers["set-cookie"]).toBeUndefined();
      }
      expect(calls).toEqual([]);
    });

    it("one call of the store when it is only read, whatever is read", async () => {
      const { call, calls } = await open();
      const { cookie } = await call("POST", "/set?field=list&value=x");
      calls.length = 0;
      for (const path of ["/ignore", "/whoami", "/read?field=list", "/read?field=missing"]) {
        const { headers } = await call("GET", path, { cookie });
        expect([headers["set-cookie"], headers["cache-control"]]).toEqual([undefined, undefined]);
      }
      expect(calls).toEqual(["load", "load", "load", "load"]);
    });

    it("one more when a field changes, and none more when it is set to what it is", async () => {
      const { call, calls } = await open();
      const { cookie } = await call("POST", "/set?value=1");
      calls.length = 0;
      await call("POST", "/set?value=2", { cookie });
      expect(calls).toEqual(["load", "commit"]);
      await call("POST", "/set?value=2", { cookie });
      expect(calls).toEqual(["load", "commit", "load"]);
    });
  });

  describe("keeps", () => {
    it("what was set, and removes what was deleted", async () => {
      const acts = { drop: (session: RequestSession) => session.delete("a") };
      const { call } = await open({ acts });
      const { cookie } = await call("POST", "/set?value=x");
      expect((await call("GET", "/read", { cookie })).text).toBe('{"value":"x"}');
      await call("POST", "/drop", { cookie });
      expect((await call("GET", "/read", { cookie })).text).toBe('{"value":null}');
    });

    it("what was changed in an object that it handed out", async () => {
      const { call } = await open();
      const { cookie } = await call("POST", "/push?value=a");
      await call("POST", "/push?value=b", { cookie });
      expect((await call("GET", "/read?field=list", { cookie })).text).toBe('{"value":["a","b"]}');
    });

    it("every one of many updates at a time", async () => {
      const { call } = await open();
      const { cookie } = await call("POST", "/count");
      await Promise.all(Array.from({ length: 10 }, () => call("POST", "/count", { cookie })));
      expect((await call("GET", "/read?field=n", { cookie })).text).toBe('{"value":11}');
    });

    it("what was pending before an update, and what update removed", async () => {
      const acts = {
        both: async (session: RequestSession) => {
          session.set("pending", 1);
          await session.update(({ a: _removed, ...others }) => ({ ...others, b: 2 }));
          return [session.get("pending"), session.get("a") ?? null, session.get("b")];
        },
      };
      const { call, store } = await open({ acts });
      const { cookie } = await call("POST", "/set");
      expect((await call("POST", "/both", { cookie })).text).toBe("[1,null,2]");
      expect((await store.list({ limit: 1 })).items[0]?.data).toEqual({ pending: 1, b: 2 });
    });

    it("its fields at a sign-in, those set in the same request too, and none when it is told so", async () => {
      const acts = {
        enter: async (session: RequestSession) => {
          session.set("b", "2");
          session.delete("c");
          await session.signIn({ subject: "alice", data: { d: "4" } });
          return [session.subject, session.isNew, session.get("a"), session.get("b"), session.get("d")];
        },
        "enter-bare": (session: RequestSession) => session.signIn({ subject: "alice", keepData: false }),
      };
      const { call, store, calls } = await open({ acts });
      const first = await call("POST", "/set?value=1");
      const { cookie } = await call("POST", "/set?field=c", { cookie: first.cookie });
      const entered = await call("POST", "/enter", { cookie: cookie ?? first.cookie });
      expect(entered.text).toBe('["alice",false,"1","2","4"]');
      expect((await store.list({ limit: 9 })).items.map(({ data }) => data)).toEqual([{ a: "1", b: "2", d: "4" }]);
      calls.length = 0;
      const bare = await call("POST", "/enter-bare", { cookie: entered.cookie });
      expect((await store.list({ limit: 9 })).items.map(({ data }) => data)).toEqual([{}]);
      expect(bare.cookie).not.toBe(entered.cookie);
    });

    it("nothing of what was pending at a logout, and begins anew when something is set after it", async () => {
      const acts = {
        leave: async (session: RequestSession) => {
          session.set("b", "2");
          await session.destroy();
          session.set("flash", "bye");
        },
      };
      const { call, store } = await open({ acts });
      const before = await call("POST", "/login");
      const { cookie, headers } = await call("POST", "/leave", { cookie: before.cookie });
      expect(cookie).not.toBe(before.cookie);
      expect(headers["clear-site-data"]).toBeUndefined();
      expect((await store.list({ limit: 9 })).items.map(({ data, subject }) => [data, subject])).toEqual([
        [{ flash: "bye" }, null],
      ]);
    });
  });

  describe("never pretends: a write that fails is what the client is told", () => {
    it("503 when the store fails at the write, without the cookie, and the change is not there", async () => {
      let isDown = false;
      const { call, store } = await open({
        intercept: (method, act) => (isDown && method !== "load" ? down() : act()),
      });
      const { cookie } = await call("POST", "/set?value=1");
      isDown = true;
      const written = await call("POST", "/set?value=2", { cookie });
      expect([written.status, written.headers["retry-after"], written.headers["cache-control"]]).toEqual([
        503,
        "1",
        "no-store",
      ]);
      expect(JSON.parse(written.text)).toMatchObject({ code: "store-unavailable" });
      const begun = await call("POST", "/set?value=2");
      expect([begun.status, begun.headers["set-cookie"]]).toEqual([503, undefined]);
      isDown = false;
      expect((await store.list({ limit: 9 })).items.map(({ data }) => data)).toEqual([{ a: "1" }]);
    });

    it("401 when the session ended before the write, which brings nothing back", async () => {
      const web = await open({
        acts: {
          late: async (session: RequestSession) => {
            session.set("a", "2");
            await web.sessions.destroy(session.id ?? "");
          },
        },
      });
      const { cookie } = await web.call("POST", "/login");
      const late = await web.call("POST", "/late", { cookie });
      expect([late.status, JSON.parse(late.text).code]).toEqual([401, "session-not-found"]);
      expect(late.headers["set-cookie"]).toBeUndefined();
      expect((await web.store.list({ limit: 9 })).items).toEqual([]);
    });

    it("422 when a field is no JSON, 413 when it is too large", async () => {
      const acts = {
        circle: (session: RequestSession) => {
          const circle: { self?: object } = {};
          circle.self = circle;
          session.set("a", circle as never);
        },
        large: (session: RequestSession) => session.set("a", "x".repeat(70_000)),
      };
      const { call } = await open({ acts });
      const { cookie } = await call("POST", "/login");
      expect((await call("POST", "/circle", { cookie })).status).toBe(422);
      expect((await call("POST", "/large", { cookie })).status).toBe(413);
      expect((await call("POST", "/large")).status).toBe(413);
    });

    it("also when the handler caught the failure of an explicit save", async () => {
      let isDown = true;
      const acts = {
        swallow: async (session: RequestSession) => {
          session.set("a", "2");
          await session.save().catch(() => undefined);
        },
        insist: async (session: RequestSession) => {
          session.set("a", "3");
          await session.save().catch(() => undefined);
          isDown = false;
        },
      };
      const { call } = await open({
        acts,
        intercept: (method, act) => (isDown && method === "commit" ? down() : act()),
      });
      const { cookie } = await call("POST", "/login");
      expect((await call("POST", "/swallow", { cookie })).status).toBe(503);
      expect((await call("POST", "/insist", { cookie })).status).toBe(200);
      expect((await call("GET", "/read", { cookie })).text).toBe('{"value":"3"}');
    });

    it("409 when the subject has as many sessions as it may", async () => {
      const { call } = await open({ manager: { limits: { perSubject: 1, policy: "deny" } } });
      expect((await call("POST", "/login")).status).toBe(200);
      const refused = await call("POST", "/login");
      expect([refused.status, refused.headers["set-cookie"]]).toEqual([409, undefined]);
    });
  });

  it("leaves at most the limit of sessions when 50 sign in at a time", async () => {
    for (const policy of ["deny", "evict-oldest"] as const) {
      const { call, store } = await open({ manager: { limits: { perSubject: 3, policy } } });
      const answers = await Promise.all(Array.from({ length: 50 }, () => call("POST", "/login")));
      expect((await store.list({ subject: "alice", limit: 100 })).items).toHaveLength(3);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(policy === "deny" ? 3 : 50);
    }
  });

  it("takes no change after its headers have left, but an update, which writes at once", async () => {
    const outcomes: unknown[] = [];
    const late = async (session: RequestSession): Promise<void> => {
      try {
        session.set("a", "late");
      } catch (error) {
        outcomes.push((error as RuntimeError).code);
      }
      await session.update((fields) => ({ ...fields, late: true }));
    };
    const { call, store } = await openWeb(
      framework,
      {},
      {
        fastify: (app) =>
          app.get("/stream", ({ session }, reply) => {
            reply.hijack();
            const { raw } = reply;
            raw.write("a");
            // What hijacks has to save by itself; here nothing was changed before.
            void session.update((fields) => ({ ...fields, late: true })).then(() => raw.end("b"));
          }),
        express: (app) =>
          app.get("/stream", ({ session }, response) => {
            session.get("list");
            response.write("a");
            void late(session).then(() => response.end("b"));
          }),
      },
    );
    const { cookie } = await call("POST", "/push");
    expect((await call("GET", "/stream", { cookie })).text).toBe("ab");
    expect((await store.list({ limit: 1 })).items[0]?.data).toMatchObject({ late: true });
    expect(outcomes).toEqual(framework === "Express" ? ["internal"] : []);
  });

  it("reads a session only where it is wanted, when the route is declared so", async () => {
    const { call, calls } = await openWeb(
      framework,
      framework === "Express" ? { http: { read: false } as object } : {},
      {
        fastify: (app) => {
          app.get("/lazy", { config: { session: false } }, () => "lazy");
          app.get("/asks", { config: { session: false } }, async ({ session }) => ({
            subject: (await session.load()).subject,
          }));
          app.get("/forgets", { config: { session: false } }, ({ session }) => ({ subject: session.subject }));
        },
        express: (app) => {
          app.get("/lazy", (_request, response) => void response.send("lazy"));
          app.get(
            "/asks",
            async ({ session }, response) => void response.send({ subject: (await session.load()).subject }),
          );
          app.get("/forgets", ({ session }, response) => void response.send({ subject: session.subject }));
        },
      },
    );
    const { cookie } = await call("POST", "/login");
    calls.length = 0;
    expect((await call("GET", "/lazy", { cookie })).text).toBe("lazy");
    expect(calls).toEqual([]);
    expect((await call("GET", "/forgets", { cookie })).status).toBe(500);
    expect(calls).toEqual([]);
    expect((await call("GET", "/asks", { cookie })).text).toBe('{"subject":"alice"}');
    expect(calls).toEqual(["load"]);
  });
});
