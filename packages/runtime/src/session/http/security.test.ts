import { describe, expect, it } from "vitest";
import { systemPorts } from "../../ports.js";
import { createToken } from "../token.js";
import { FRAMEWORKS, openWeb } from "./web-service.test.support.js";

/** What OWASP ASVS 5.0, its cheat sheet and RFC 6265bis ask of sessions, as far as it shows over HTTP; docs/guides/security.md names these. */
describe.each(FRAMEWORKS)("security of sessions on %s", (framework) => {
  const open = (options: Parameters<typeof openWeb>[1] = {}) => openWeb(framework, options);
  const PROBLEM = "application/problem+json; charset=utf-8";
  const tokenOf = (cookie: string): string => cookie.slice(cookie.indexOf("=") + 1);

  it("never asks the store for a token that is forged, truncated, of 10 kB or not ASCII, and serves it as nobody", async () => {
    const { call, calls, events } = await open({ http: { guessing: false } });
    const forged = [
      "",
      "x",
      "a".repeat(79),
      "a".repeat(81),
      "a".repeat(10_240),
      "é".repeat(40),
      `${"a".repeat(79)}+`,
      "%00".repeat(20),
    ];
    for (const token of forged) {
      const { status, text } = await call("GET", "/whoami", { cookie: `__Host-session=${token}` });
      expect([status, JSON.parse(text)]).toEqual([200, { id: null, subject: null, isNew: true }]);
      expect((await call("GET", "/mine", { cookie: `__Host-session=${token}` })).status).toBe(401);
    }
    expect(calls).toEqual([]);
    expect(events).toEqual(
      forged.flatMap(() => [0, 1].map(() => expect.objectContaining({ kind: "unknown-token", wellFormed: false }))),
    );
  });

  it("gives 401 to a token in the right form that was never issued", async () => {
    const { call, calls } = await open();
    const cookie = `__Host-session=${createToken("x".repeat(36), systemPorts.random)}`;
    expect((await call("GET", "/mine", { cookie })).status).toBe(401);
    expect(calls).toEqual(["load"]);
  });

  it("does not take a key of the service or an API key for a session, and does not count it as a guess", async () => {
    const { call, calls, events } = await open({ http: { bearer: true } });
    for (let n = 0; n < 30; n += 1) {
      const authorization = n % 2 ? `Bearer sk_live_${n}` : `Basic ${"a".repeat(80 + n)}`;
      expect((await call("GET", "/mine", { headers: { authorization } })).status).toBe(401);
    }
    expect([calls, events]).toEqual([[], []]);
  });

  it.each(["login", "step-up", "rotate"])(
    "gives a new token at %s, and the old one is dead with the next request",
    async (act) => {
      const { call } = await open();
      const before = (await call("POST", "/login")).cookie;
      const after = await call("POST", `/${act}`, { cookie: before });
      expect(after.cookie).toMatch(/^__Host-session=.{80}$/);
      expect(after.cookie).not.toBe(before);
      expect((await call("GET", "/mine", { cookie: before })).status).toBe(401);
      expect((await call("GET", "/mine", { cookie: after.cookie })).status).toBe(200);
    },
  );

  it("does not adopt an id it never issued: the answer carries another one, and the event is told", async () => {
    const { call, events } = await open();
    const planted = createToken("x".repeat(36), systemPorts.random);
    const headers = { "user-agent": "probe" };
    const { cookie = "" } = await call("POST", "/set", { cookie: `__Host-session=${planted}`, headers });
    expect(tokenOf(cookie)).not.toContain(planted.slice(0, 36));
    expect((await call("GET", "/whoami", { cookie: `__Host-session=${planted}` })).text).toContain('"isNew":true');
    const origin = { ip: "127.0.0.1", userAgent: "probe" };
    expect(events[0]).toMatchObject({
      kind: "unknown-token",
      wellFormed: true,
      origin: expect.objectContaining(origin),
    });
  });

  it("ends a session a millisecond after its idle time, by the server's clock", async () => {
    const { call, clock } = await open();
    const { cookie } = await call("POST", "/login");
    clock.advance(3_599_999);
    expect((await call("GET", "/mine", { cookie })).status).toBe(200);
    clock.advance(3_600_000);
    expect((await call("GET", "/mine", { cookie })).status).toBe(401);
  });

  it("ends a session at its absolute lifetime in spite of constant activity, rotation and step-up", async () => {
    const { call, clock } = await open();
    let { cookie } = await call("POST", "/login");
    for (let hour = 0; hour < 23; hour += 1) {
      clock.advance(3_599_999);
      const answer = await call("POST", ["/mine", "/rotate", "/step-up", "/set"][hour % 4] as string, { cookie });
      expect(answer.status).toBe(200);
      cookie = answer.cookie ?? cookie;
    }
    clock.advance(1_800_000);
    expect((await call("GET", "/mine", { cookie })).status).toBe(200);
    clock.advance(1_800_022);
    expect((await call("GET", "/mine", { cookie })).status).toBe(200);
    clock.advance(1);
    expect((await call("GET", "/mine", { cookie })).status).toBe(401);
  });

  it("renews the token after its period, takes the one before it in its grace only, and ends the session when it is used later", async () => {
    const { call, clock, events } = await open({ manager: { rotation: { periodMs: 600_000, graceMs: 30_000 } } });
    const { cookie: old } = await call("POST", "/login");
    clock.advance(600_000);
    const renewed = await call("GET", "/mine", { cookie: old });
    expect(renewed.cookie).toBeDefined();
    expect(renewed.headers["cache-control"]).toBe("no-store");
    clock.advance(29_999);
    const late = await call("GET", "/mine", { cookie: old });
    expect([late.status, late.cookie]).toEqual([200, renewed.cookie]);
    expect((await call("GET", "/mine", { cookie: renewed.cookie })).cookie).toBeUndefined();
    clock.advance(1);
    expect((await call("GET", "/mine", { cookie: old })).status).toBe(401);
    expect((await call("GET", "/mine", { cookie: renewed.cookie })).status).toBe(401);
    expect(events.map(({ kind }) => kind)).toEqual(["signed-in", "rotated", "reused", "unknown-token"]);
  });

  it("ends a session on every instance at once: at a logout, and when it is revoked", async () => {
    const { clients, sessions } = await open({ instances: 2 });
    const [one, other] = clients as [(typeof clients)[0], (typeof clients)[0]];
    const { cookie } = await one.call("POST", "/login");
    expect((await other.call("GET", "/mine", { cookie })).status).toBe(200);
    await one.call("POST", "/logout", { cookie });
    expect((await other.call("GET", "/mine", { cookie })).status).toBe(401);
    const again = (await one.call("POST", "/login")).cookie;
    expect((await other.call("GET", "/mine", { cookie: again })).status).toBe(200);
    await sessions.revokeSubject("alice");
    for (const { call } of clients) expect((await call("GET", "/mine", { cookie: again })).status).toBe(401);
  });

  it("ends all other sessions of the user on demand, as after a change of factors", async () => {
    const { call } = await open();
    const cookies = [];
    for (let n = 0; n < 3; n += 1) cookies.push((await call("POST", "/login")).cookie);
    const bob = (await call("POST", "/login?subject=bob")).cookie;
    expect((await call("POST", "/revoke-others", { cookie: cookies[1] })).text).toBe('{"revoked":2}');
    const statuses = [];
    for (const cookie of [...cookies, bob]) statuses.push((await call("GET", "/mine", { cookie })).status);
    expect(statuses).toEqual([401, 200, 401, 200]);
  });

  it("asks for a fresh and sure sign-in where a route wants one: 401, until a step-up", async () => {
    const { call, clock } = await open();
    const { cookie } = await call("POST", "/login");
    const refused = await call("GET", "/fresh", { cookie });
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.text).code).toBe("session-stale-sign-in");
    const sure = (await call("POST", "/step-up", { cookie })).cookie;
    clock.advance(299_999);
    expect((await call("GET", "/fresh", { cookie: sure })).status).toBe(200);
    clock.advance(1);
    expect((await call("GET", "/fresh", { cookie: sure })).status).toBe(401);
    expect((await call("GET", "/mine", { cookie: sure })).status).toBe(200);
    expect((await call("GET", "/fresh")).status).toBe(401);
  });

  it("lists a user's sessions by what recognizes them, and shows no token", async () => {
    const { call, sessions } = await open();
    const cookies = [];
    for (const agent of ["phone", "laptop"])
      cookies.push((await call("POST", "/login", { headers: { "user-agent": agent } })).cookie);
    const { items } = await sessions.list({ subject: "alice" });
    expect(items.map(({ device }) => device)).toEqual(
      expect.arrayContaining(
        ["phone", "laptop"].map((userAgent) => ({ ip: expect.stringMatching(/127\.0\.0\.1$/), userAgent })),
      ),
    );
    expect(items.every(({ createdAt, touchedAt }) => createdAt > 0 && touchedAt > 0)).toBe(true);
    for (const cookie of cookies) expect(JSON.stringify(items)).not.toContain(tokenOf(cookie ?? "").slice(36));
  });

  it("creates no session for a bare GET", async () => {
    const { call, calls } = await open();
    for (const path of ["/whoami", "/read", "/csrf", "/ignore"]) {
      const { headers } = await call("GET", path);
      expect(headers["set-cookie"]).toBeUndefined();
    }
    expect(calls).toEqual([]);
  });

  it("sets a cookie that is __Host-, Secure, HttpOnly, SameSite=Lax, on path / and without a domain, and no copy of its token", async () => {
    const { call, logged, events } = await open();
    const { headers, cookie = "", text } = await call("POST", "/login");
    expect(headers["set-cookie"]).toEqual([`${cookie}; Path=/; HttpOnly; Secure; SameSite=Lax`]);
    expect(cookie).toMatch(/^__Host-session=/);
    const { "set-cookie": _cookie, ...others } = headers;
    expect(`${text}${JSON.stringify([others, logged, events])}`).not.toContain(tokenOf(cookie).slice(36));
  });

  it("takes none of two cookies of its name, and tells the event", async () => {
    const { call, calls, events } = await open();
    const { cookie } = await call("POST", "/login");
    calls.length = 0;
    expect((await call("GET", "/mine", { cookie: `__Host-session=planted; ${cookie}` })).status).toBe(401);
    expect(calls).toEqual([]);
    expect(events.at(-1)).toMatchObject({ kind: "unknown-token", wellFormed: false });
  });

  it("reads no cookie whose name differs in its case", async () => {
    const { call, calls } = await open();
    const { cookie = "" } = await call("POST", "/login");
    calls.length = 0;
    expect((await call("GET", "/mine", { cookie: cookie.replace("__Host-", "__host-") })).status).toBe(401);
    expect(calls).toEqual([]);
  });

  it("reads tokens only where they are declared to travel: no header unless configured, and never the query", async () => {
    const { call, calls } = await open();
    const token = tokenOf((await call("POST", "/login")).cookie ?? "");
    calls.length = 0;
    const authorization = `Bearer ${token}`;
    expect((await call("GET", "/mine", { headers: { authorization } })).status).toBe(401);
    expect((await call("GET", `/mine?token=${token}&__Host-session=${token}&session=${token}`)).status).toBe(401);
    expect((await call("GET", "/mine", { headers: { "session-token": token, "x-session": token } })).status).toBe(401);
    expect(calls).toEqual([]);
  });

  it("takes a bearer token where that is configured, needs no proof of its page, and tells a new one in a header", async () => {
    const { call } = await open({ http: { bearer: true, cookie: false } });
    const login = await call("POST", "/login");
    const token = String(login.headers["session-token"]);
    expect(login.headers["set-cookie"]).toBeUndefined();
    expect(login.headers["cache-control"]).toBe("no-store");
    const headers = {
      authorization: `bearer ${token}`,
      "sec-fetch-site": "cross-site",
      origin: "https://evil.example",
    };
    const written = await call("POST", "/set", { headers });
    expect([written.status, written.headers["session-token"]]).toEqual([200, undefined]);
    const rotated = await call("POST", "/rotate", { headers });
    expect(rotated.headers["session-token"]).toMatch(/^.{80}$/);
    expect((await call("GET", "/mine", { headers })).status).toBe(401);
    expect((await call("GET", "/mine", { cookie: `__Host-session=${rotated.headers["session-token"]}` })).status).toBe(
      401,
    );
  });

  it("forbids caching of every answer that sets the cookie, also when the handler allows it, and of no other", async () => {
    const acts = { page: () => "page" };
    const cache = (value: string) => ({ "cache-control": value });
    const { call } = await openWeb(
      framework,
      { acts },
      {
        fastify: (app) =>
          app.post("/cached", async ({ session }, reply) => {
            session.set("a", "1");
            reply.headers(cache("public, max-age=60"));
            return "cached";
          }),
        express: (app) =>
          app.post("/cached", ({ session }, response) => {
            session.set("a", "1");
            response.set(cache("public, max-age=60")).send("cached");
          }),
      },
    );
    const first = await call("POST", "/cached");
    expect(first.headers["cache-control"]).toBe("no-store");
    const second = await call("POST", "/cached", { cookie: first.cookie });
    expect([second.headers["cache-control"], second.headers["set-cookie"]]).toEqual(["public, max-age=60", undefined]);
  });

  it("clears the cookie at a logout, and has the browser forget what it keeps of the site", async () => {
    const { call } = await open();
    const { cookie } = await call("POST", "/login");
    const { headers } = await call("POST", "/logout", { cookie });
    expect(headers["set-cookie"]).toEqual([
      "__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ]);
    expect(headers["clear-site-data"]).toBe('"cookies", "storage"');
    expect(headers["cache-control"]).toBe("no-store");
  });

  it("has the browser forget only what it is told to", async () => {
    const { call } = await open({ http: { clearSiteData: [] } });
    const { cookie } = await call("POST", "/login");
    const { headers } = await call("POST", "/logout", { cookie });
    expect(headers["set-cookie"]).toHaveLength(1);
    expect(headers["clear-site-data"]).toBeUndefined();
  });

  it("answers 503 with Retry-After while the store is down, and never as if nobody had signed in", async () => {
    let isDown = false;
    const intercept = (_method: string, call: () => Promise<unknown>): Promise<unknown> =>
      isDown ? Promise.reject(new Error("connect ECONNREFUSED 10.0.0.7")) : call();
    const { call, store } = await open({ intercept });
    const { cookie } = await call("POST", "/login");
    await store.close();
    const refused = await call("GET", "/ignore", { cookie });
    expect([refused.status, refused.headers["retry-after"], refused.headers["content-type"]]).toEqual([
      503,
      "1",
      PROBLEM,
    ]);
    expect(JSON.parse(refused.text)).toMatchObject({
      status: 503,
      code: "store-unavailable",
      title: "Service Unavailable",
    });
    expect((await call("GET", "/ignore")).status).toBe(200);
    expect((await call("POST", "/set")).status).toBe(503);
    await store.open();
    isDown = true;
    const unknown = await call("GET", "/ignore", { cookie });
    isDown = false;
    expect(unknown.status).toBe(500);
    expect(unknown.text).not.toContain("10.0.0.7");
  });

  it("refuses a client that brings more than 20 unknown tokens in a minute: 429, Retry-After, one event; sessions beside it go on", async () => {
    const { call, events, clock } = await open();
    const { cookie } = await call("POST", "/login");
    const guess = () =>
      call("GET", "/whoami", { cookie: `__Host-session=${createToken("x".repeat(36), systemPorts.random)}` });
    for (let n = 0; n < 20; n += 1) expect((await guess()).status).toBe(200);
    clock.advance(18_000);
    for (let n = 0; n < 3; n += 1) {
      const { status, headers, text } = await guess();
      expect([status, headers["retry-after"], headers["content-type"]]).toEqual([429, "42", PROBLEM]);
      expect(JSON.parse(text).code).toBe("session-guessing");
    }
    expect(events.filter(({ kind }) => kind === "guessing")).toEqual([
      {
        kind: "guessing",
        unknown: 21,
        at: clock.now(),
        origin: expect.objectContaining({ ip: expect.stringContaining("127.0.0.1") }),
      },
    ]);
    expect((await call("GET", "/mine", { cookie })).status).toBe(200);
    clock.advance(42_000);
    expect((await guess()).status).toBe(200);
  });

  it("does not let a user agent forge a line of the log", async () => {
    const { call, events } = await open();
    // What HTTP lets through: a tab, and characters that some logs take for line ends.
    await call("POST", "/login", { headers: { "user-agent": "a\tforged\u0085line" } });
    expect(events).toHaveLength(1);
    expect(JSON.stringify(events)).not.toMatch(/\\t|\u0085|\\u0085/);
  });

  it("keeps nothing in the store that opens a session when it is sent as a cookie", async () => {
    const { call, store } = await open({ http: { guessing: false } });
    await call("POST", "/login");
    const { items } = await store.list({ limit: 10 });
    const texts: string[] = [];
    const collect = (value: unknown): void => {
      if (typeof value !== "object" || value === null) texts.push(String(value));
      else for (const entry of Object.entries(value)) entry.forEach(collect);
    };
    collect(items);
    for (const text of texts) {
      for (const value of [text, text.padEnd(80, "a"), text + text].map(encodeURIComponent))
        expect((await call("GET", "/mine", { cookie: `__Host-session=${value}` })).status).toBe(401);
    }
  });

  it("tells the life of a session with who and whence: created, signed in, stepped up, rotated, revoked", async () => {
    const { call, events } = await open();
    const headers = { "user-agent": "browser" };
    let { cookie } = await call("POST", "/set", { headers });
    for (const act of ["login", "step-up", "rotate", "logout"])
      cookie = (await call("POST", `/${act}`, { cookie, headers })).cookie;
    expect(events.map(({ kind }) => kind)).toEqual(["created", "signed-in", "stepped-up", "rotated", "revoked"]);
    const origin = { ip: expect.stringContaining("127.0.0.1"), userAgent: "browser" };
    for (const event of events) expect(event).toMatchObject({ at: expect.any(Number), origin });
    expect(events.slice(1)).toEqual(events.slice(1).map(() => expect.objectContaining({ subject: "alice" })));
  });
});
