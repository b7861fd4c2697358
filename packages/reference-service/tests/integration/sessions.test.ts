import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "./service.js";

const PATH = "/api/v1/sessions";
const CURRENT = `${PATH}/current`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const withCookie = (token: string) => ({ cookie: `session=${token}` });
const tokenIn = (headers: Headers): string => /^session=([\w-]{80});/.exec(headers.get("set-cookie") ?? "")?.[1] ?? "";

describe("sessions over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const get = (headers: Record<string, string>, path = CURRENT) => service.call("GET", path, undefined, headers);
  const begin = async (session: object = {}) =>
    (await service.call("POST", PATH, { transport: "bearer", ...session })).body;
  const beginInCookie = async (session: object = {}, headers: Record<string, string> = {}) => {
    const answer = await service.call("POST", PATH, session, headers);
    expect(answer.status).toBe(201);
    return { ...answer.body, token: tokenIn(answer.headers) };
  };

  it("shows a token in the body only when it is to travel there", async () => {
    const inBody = await service.call("POST", PATH, { transport: "bearer", data: { theme: "dark" } });
    expect(inBody.status).toBe(201);
    expect(inBody.body).toMatchObject({
      id: expect.stringMatching(/^[\w-]{36}$/),
      token: expect.stringMatching(/^[\w-]{80}$/),
      data: { theme: "dark" },
      revision: 1,
    });
    expect(inBody.headers.get("set-cookie")).toBeNull();
    expect(inBody.headers.get("cache-control")).toBe("no-store");
    const inCookie = await service.call("POST", PATH);
    expect(inCookie.body).not.toHaveProperty("token");
    expect(inCookie.headers.get("set-cookie")).toMatch(/^session=[\w-]{80}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(inCookie.headers.get("cache-control")).toBe("no-store");
    expect(JSON.stringify(inCookie.body)).not.toContain(tokenIn(inCookie.headers));
  });

  it("finds the caller's session by cookie and by bearer token, with times in ISO 8601", async () => {
    const { token, id, ...made } = await begin({ subject: "ann" });
    expect(made.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((await get(bearer(token))).body).toMatchObject({ id, subject: "ann" });
    expect((await get({ cookie: `other=1; session=${token}` })).body).toMatchObject({ id });
  });

  it("takes no cookie in the place of a bearer token that leads nowhere", async () => {
    const { token } = await begin();
    for (const other of ["nonsense", "A".repeat(80), token.slice(1), `${token}A`]) {
      const refused = await get({ ...withCookie(token), ...bearer(other) });
      expect([refused.status, refused.body.code]).toEqual([401, "session-not-found"]);
      expect(refused.headers.get("www-authenticate")).toMatch(/^Bearer/);
    }
    expect((await get({ ...withCookie(token), authorization: "Basic YTpi" })).status).toBe(401);
  });

  it("answers 401 to whatever is no token, and to a cookie that is there twice", async () => {
    const { token } = await begin();
    const twice = await get({ cookie: `session=${token}; session=${token}` });
    expect([twice.status, twice.body.code]).toEqual([401, "session-not-found"]);
    for (const text of ["", "x", "é".repeat(80), "A".repeat(10_000), "%00", `${token};`, `"${token}"`, `${token}=`]) {
      expect((await get({ authorization: `Bearer ${text}` })).status).toBe(401);
      const inCookie = await get({ cookie: `session=${text}` });
      expect(inCookie.status).toBe(text === `${token};` ? 200 : 401);
    }
    expect((await get({ cookie: `SESSION=${token}` })).status).toBe(401);
    expect((await get({}, `${CURRENT}?session=${token}`)).status).toBe(401);
  });

  it("merges a patch, unless the revision moved", async () => {
    const { token } = await begin({ data: { a: 1, b: { c: 2, d: 3 } } });
    const patch = (body: unknown, revision?: string) =>
      service.call("PATCH", CURRENT, body, {
        ...bearer(token),
        ...(revision === undefined ? {} : { "if-match": revision }),
      });
    const changed = await patch({ a: null, b: { c: 4 } }, '"1"');
    expect([changed.status, changed.body.data, changed.body.revision]).toEqual([200, { b: { c: 4, d: 3 } }, 2]);
    expect(changed.headers.get("etag")).toBe('"2"');
    const moved = await patch({ a: 5 }, '"1"');
    expect([moved.status, moved.body.code]).toEqual([412, "session-revision-moved"]);
    for (const none of ['W/"2"', '"of another"', '"1", "3"']) expect((await patch({ a: 5 }, none)).status).toBe(412);
    expect((await patch({ a: 5 }, '"1", "2"')).body.revision).toBe(3);
    expect((await patch({ a: 6 }, "*")).body.revision).toBe(4);
    expect((await patch({ a: 5 }, "1")).status).toBe(400);
    expect((await patch([1])).status).toBe(422);
  });

  it("kills the old token when it rotates, and every token when the session ends", async () => {
    const { token, id } = await begin();
    const rotated = await service.call("POST", `${CURRENT}/rotate`, undefined, bearer(token));
    expect(rotated.body).toMatchObject({ id, token: expect.stringMatching(/^[\w-]{80}$/) });
    expect(rotated.headers.get("set-cookie")).toBeNull();
    expect((await get(bearer(token))).status).toBe(401);
    const ended = await service.call("DELETE", CURRENT, undefined, bearer(rotated.body.token));
    expect(ended.status).toBe(204);
    expect((await get(bearer(rotated.body.token))).status).toBe(401);
  });

  it("rotates the cookie of a session that came in one, and clears it at the end", async () => {
    const { token } = await begin();
    const rotated = await service.call("POST", `${CURRENT}/rotate`, undefined, withCookie(token));
    expect(rotated.body).not.toHaveProperty("token");
    const next = tokenIn(rotated.headers);
    expect(next).not.toBe(token);
    expect((await get(withCookie(token))).status).toBe(401);
    const ended = await service.call("DELETE", CURRENT, undefined, withCookie(next));
    expect(ended.status).toBe(204);
    expect(ended.headers.get("set-cookie")).toMatch(/^session=; Path=\/; HttpOnly; SameSite=Lax; Max-Age=0/);
    // Other services of the domain keep theirs.
    expect(ended.headers.get("clear-site-data")).toBe('"storage"');
    expect((await get(withCookie(next))).status).toBe(401);
  });

  it("puts a new session in the place of the one that the cookie led to", async () => {
    const anonymous = await beginInCookie({ data: { cart: 1 } });
    const { token, ...made } = await beginInCookie({ subject: "ben" }, withCookie(anonymous.token));
    expect(made).toMatchObject({ subject: "ben", data: {} });
    expect((await get(withCookie(anonymous.token))).status).toBe(401);
    expect((await get(withCookie(token))).body.id).toBe(made.id);
    const other = await beginInCookie({}, withCookie(token));
    expect((await get(withCookie(token))).status).toBe(401);
    expect((await get(withCookie(other.token))).status).toBe(200);
  });

  it("does nothing for a page of another site", async () => {
    const { token, csrf_token: csrfToken } = await beginInCookie();
    const rotate = (headers: Record<string, string>) =>
      service.call("POST", `${CURRENT}/rotate`, undefined, { ...withCookie(token), ...headers });
    for (const headers of [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site", "x-csrf-token": "guessed" },
    ]) {
      const refused = await rotate(headers as Record<string, string>);
      expect([refused.status, refused.body.code]).toEqual([403, "session-csrf"]);
    }
    // Nor is anybody signed in as somebody whom another site chose.
    const planted = await service.call("POST", PATH, { subject: "eve" }, { "sec-fetch-site": "cross-site" });
    expect([planted.status, planted.headers.get("set-cookie")]).toEqual([403, null]);
    expect((await get({ ...withCookie(token), "sec-fetch-site": "cross-site" })).status).toBe(200);
    expect((await rotate({ "sec-fetch-site": "cross-site", "x-csrf-token": csrfToken })).status).toBe(200);
  });

  it("takes what a page of its own sends, and a client that is no browser", async () => {
    for (const headers of [{ "sec-fetch-site": "same-origin" }, { origin: service.url }, {}]) {
      const { token } = await beginInCookie();
      const sent = { ...withCookie(token), ...(headers as Record<string, string>) };
      expect((await service.call("PATCH", CURRENT, { a: 1 }, sent)).status).toBe(200);
    }
    const { token } = await begin();
    const elsewhere = { ...bearer(token), origin: "https://app.example" };
    expect((await service.call("PATCH", CURRENT, { a: 1 }, elsewhere)).status).toBe(200);
  });

  it("shows a subject its own sessions, by what to recognize them, and nothing that they hold", async () => {
    const subject = "carl";
    const first = await begin({ subject, data: { secret: 1 }, device: { label: "kitchen", ip: "203.0.113.7" } });
    const second = await begin({ subject });
    await begin({ subject: "somebody else" });
    const page = await get(bearer(first.token), `${PATH}/mine`);
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.body.items).toEqual([
      expect.objectContaining({ id: second.id, current: false, device: expect.objectContaining({ ip: "127.0.0.1" }) }),
      expect.objectContaining({ id: first.id, current: true, device: { label: "kitchen", ip: "203.0.113.7" } }),
    ]);
    expect(page.body.items[0]).toMatchObject({
      last_seen_at: expect.any(String),
      signed_in_at: expect.any(String),
      created_at: expect.any(String),
      expires_at: expect.any(String),
    });
    expect(JSON.stringify(page.body)).not.toMatch(/secret|token/);
    expect((await get(bearer(first.token), `${PATH}/mine?limit=1`)).body.next_cursor).toEqual(expect.any(String));
    expect((await get({}, `${PATH}/mine`)).status).toBe(401);
    const anonymous = await begin();
    expect((await get(bearer(anonymous.token), `${PATH}/mine`)).body.items).toMatchObject([{ id: anonymous.id }]);
  });

  it("lets a subject end its sessions, one or all others, and no one else's", async () => {
    const subject = "dora";
    const [mine, lost, phone, tablet] = await Promise.all([1, 2, 3, 4].map(() => begin({ subject })));
    const stranger = await begin({ subject: "stranger" });
    const end = (path: string) => service.call("DELETE", `${PATH}/${path}`, undefined, bearer(mine.token));
    expect((await end(`mine/${lost.id}`)).status).toBe(204);
    expect((await get(bearer(lost.token))).status).toBe(401);
    for (const id of [lost.id, stranger.id, "run:1", "nobody"]) expect((await end(`mine/${id}`)).status).toBe(404);
    expect((await end("current/others")).body).toEqual({ revoked: 2 });
    for (const { token } of [phone, tablet]) expect((await get(bearer(token))).status).toBe(401);
    expect((await get(bearer(stranger.token))).status).toBe(200);
    expect((await end(`mine/${mine.id}`)).status).toBe(204);
    expect((await end("current/others")).status).toBe(401);
    // Those of nobody do not belong together.
    const [one, other] = await Promise.all([begin(), begin()]);
    const none = await service.call("DELETE", `${CURRENT}/others`, undefined, bearer(one.token));
    expect(none.body).toEqual({ revoked: 0 });
    expect((await service.call("DELETE", `${PATH}/mine/${other.id}`, undefined, bearer(one.token))).status).toBe(404);
    expect((await get(bearer(other.token))).status).toBe(200);
  });

  it("lets an operator list and revoke, and nobody else", async () => {
    const { token, id } = await begin({ subject: "eve" });
    const other = await begin({ subject: "eve" });
    const list = (query: string, headers: Record<string, string> = asOperator) => get(headers, `${PATH}?${query}`);
    expect((await list("subject=eve", {})).status).toBe(401);
    expect((await list("subject=eve", bearer(token))).status).toBe(403);
    const first = (await list("subject=eve&limit=1")).body;
    const rest = (await list(`subject=eve&limit=1&cursor=${first.next_cursor}`)).body;
    expect([...first.items, ...rest.items].map((session) => session.id).sort()).toEqual([id, other.id].sort());
    expect(JSON.stringify(first)).not.toContain(token);
    const end = (path: string) => service.call("DELETE", `${PATH}${path}`, undefined, asOperator);
    expect((await end(`/${id}`)).status).toBe(204);
    expect((await end(`/${id}`)).status).toBe(404);
    expect((await end("?subject=eve")).body).toEqual({ revoked: 1 });
    expect((await get(bearer(other.token))).status).toBe(401);
  });

  it("logs out everybody for an operator who says so, and for none who forgot to name a subject", async () => {
    const { token } = await begin({ subject: "fay" });
    const end = (query: string, headers: Record<string, string> = asOperator) =>
      service.call("DELETE", `${PATH}${query}`, undefined, headers);
    for (const query of ["", "?", "?all=false", "?subject=", "?all=true&subject=fay", "?all=yes"]) {
      expect((await end(query)).status).toBe(422);
    }
    expect((await end("?all=true", bearer(token))).status).toBe(403);
    expect((await get(bearer(token))).status).toBe(200);
    expect((await end("?all=true")).body.revoked).toBeGreaterThan(0);
    expect((await get(bearer(token))).status).toBe(401);
  });

  it.each([
    "limit=0",
    "limit=201",
    "limit=ten",
    "kind=other",
    "surprise=1",
    "cursor=%00",
    "cursor=nonsense",
    "subject=",
  ])("refuses the query %s of a list", async (query) => {
    expect((await get(asOperator, `${PATH}?${query}`)).status).toBe(422);
  });
});

describe("sessions as they are set up", () => {
  const started: TestService[] = [];
  const start = async (environment: Record<string, string>) => {
    const service = await startService(environment);
    started.push(service);
    return service;
  };
  afterAll(() => Promise.all(started.map((service) => service.close())));

  it("exchange the token of a cookie when it is old, and no token that a client holds itself", async () => {
    const service = await start({ SESSION_ROTATION_PERIOD: "2ms", SESSION_ROTATION_GRACE_PERIOD: "1ms" });
    const token = tokenIn((await service.call("POST", PATH)).headers);
    // By the service's clock it is old when the clock has moved on by so much.
    const from = Date.now();
    await expect.poll(() => Date.now() - from).toBeGreaterThan(5);
    const answer = await service.call("GET", CURRENT, undefined, withCookie(token));
    expect([answer.status, tokenIn(answer.headers)]).toEqual([200, expect.stringMatching(/^[\w-]{80}$/)]);
    expect(tokenIn(answer.headers)).not.toBe(token);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const inBody = (await service.call("POST", PATH, { transport: "bearer" })).body.token;
    await expect.poll(() => Date.now() - from).toBeGreaterThan(20);
    const kept = await service.call("GET", CURRENT, undefined, bearer(inBody));
    expect([kept.status, kept.headers.get("set-cookie"), kept.headers.get("session-token")]).toEqual([200, null, null]);
    expect((await service.call("GET", CURRENT, undefined, bearer(inBody))).status).toBe(200);
  });

  it("make room for a newer one, or refuse it, when a subject has as many as it may", async () => {
    const evicting = await start({ SESSION_LIMITS_PER_SUBJECT: "2", SESSION_LIMITS_POLICY: "evict_oldest" });
    const denying = await start({ SESSION_LIMITS_PER_SUBJECT: "2", SESSION_LIMITS_POLICY: "deny" });
    const login = (service: TestService, subject = "ann") =>
      service.call("POST", PATH, { transport: "bearer", subject });
    const [first] = [await login(evicting), await login(evicting), await login(evicting)];
    expect((await evicting.call("GET", CURRENT, undefined, bearer(first.body.token))).status).toBe(401);
    const answers = [await login(denying), await login(denying), await login(denying)];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 409]);
    expect(answers[2]?.body.code).toBe("session-limit-reached");
    expect((await login(denying, "ben")).status).toBe(201);
  });

  it("have the cookie that production needs, and nobody names a subject there without the operator's token", async () => {
    const service = await startService({ SESSION_COOKIE_NAME: "__Host-shop", SESSION_COOKIE_SAME_SITE: "strict" });
    started.push(service);
    const { headers } = await service.call("POST", PATH);
    expect(headers.get("set-cookie")).toMatch(/^__Host-shop=[\w-]{80}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const { body } = await service.call("GET", "/openapi.json");
    expect(body.components.securitySchemes.session_cookie.name).toBe("__Host-shop");
  });

  it("tell clients behind a proxy apart when there is one", async () => {
    const addressFor = async (proxies: string, forwarded: string) => {
      const service = await start({ HTTP_TRUST_PROXY: proxies });
      const headers = { "x-forwarded-for": forwarded };
      const { token } = (await service.call("POST", PATH, { transport: "bearer" }, headers)).body;
      return (await service.call("GET", `${PATH}/mine`, undefined, bearer(token))).body.items[0].device.ip;
    };
    expect(await addressFor("0", "203.0.113.7")).toBe("127.0.0.1");
    // What a client writes itself is not believed, only what the proxy adds.
    expect(await addressFor("1", "198.51.100.1, 203.0.113.7")).toBe("203.0.113.7");
  });

  it("keep a client that tries tokens away from the store, and say for how long", async () => {
    const service = await start({});
    const { token } = (await service.call("POST", PATH, { transport: "bearer" })).body;
    const guess = (at: number) =>
      service.call("GET", CURRENT, undefined, bearer(`${"A".repeat(76)}${String(at).padStart(4, "0")}`));
    const answers = [];
    for (let at = 0; at < 25; at += 1) answers.push(await guess(at));
    const refused = answers.at(-1);
    expect([refused?.status, refused?.body.code]).toEqual([429, "session-guessing"]);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(1);
    expect((await service.call("GET", CURRENT, undefined, bearer(token))).status).toBe(200);
  });
});
