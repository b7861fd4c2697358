import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "./service.js";

describe("sessions over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const start = async (session: object = {}) =>
    (await service.call("POST", "/api/v1/sessions", { transport: "bearer", ...session })).body;

  it("shows a token in the body only when it is to travel there", async () => {
    const inBody = await service.call("POST", "/api/v1/sessions", { transport: "bearer", data: { theme: "dark" } });
    expect(inBody.status).toBe(201);
    expect(inBody.body).toMatchObject({
      token: expect.stringMatching(/^[\w-]{43}$/),
      data: { theme: "dark" },
      revision: 1,
    });
    expect(inBody.headers.get("set-cookie")).toBeNull();
    expect(inBody.headers.get("cache-control")).toBe("no-store");
    const inCookie = await service.call("POST", "/api/v1/sessions");
    expect(inCookie.body).not.toHaveProperty("token");
    expect(inCookie.headers.get("set-cookie")).toMatch(/^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(inCookie.headers.get("cache-control")).toBe("no-store");
  });

  it("finds the caller's session by cookie and by bearer token, with times in ISO 8601", async () => {
    const { token, id, ...made } = await start({ subject: "ann" });
    expect(made.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((await service.call("GET", "/api/v1/sessions/current", undefined, bearer(token))).body).toMatchObject({
      id,
      subject: "ann",
    });
    const cookie = `other=1; session=${token}`;
    expect((await service.call("GET", "/api/v1/sessions/current", undefined, { cookie })).body).toMatchObject({ id });
  });

  it("merges a patch, unless the revision moved", async () => {
    const { token } = await start({ data: { a: 1, b: { c: 2, d: 3 } } });
    const patch = (body: unknown, revision?: string) =>
      service.call("PATCH", "/api/v1/sessions/current", body, {
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
    const { token, id } = await start();
    const rotated = await service.call("POST", "/api/v1/sessions/current/rotate", undefined, bearer(token));
    expect(rotated.body).toMatchObject({ id, token: expect.any(String) });
    expect((await service.call("GET", "/api/v1/sessions/current", undefined, bearer(token))).status).toBe(401);
    const ended = await service.call("DELETE", "/api/v1/sessions/current", undefined, bearer(rotated.body.token));
    expect(ended.status).toBe(204);
    expect((await service.call("GET", "/api/v1/sessions/current", undefined, bearer(rotated.body.token))).status).toBe(
      401,
    );
  });

  it("rotates the cookie of a session that came in one", async () => {
    const { token } = await start();
    const rotated = await service.call("POST", "/api/v1/sessions/current/rotate", undefined, {
      cookie: `session=${token}`,
    });
    expect(rotated.body).not.toHaveProperty("token");
    expect(rotated.headers.get("set-cookie")).toMatch(/^session=[\w-]{43};/);
  });

  it("lets an operator list and revoke, and nobody else", async () => {
    const { token, id } = await start({ subject: "eve" });
    const other = await start({ subject: "eve" });
    expect((await service.call("GET", "/api/v1/sessions?subject=eve")).status).toBe(401);
    expect((await service.call("GET", "/api/v1/sessions?subject=eve", undefined, bearer(token))).status).toBe(403);
    const first = (await service.call("GET", "/api/v1/sessions?subject=eve&limit=1", undefined, asOperator)).body;
    const rest = (
      await service.call(
        "GET",
        `/api/v1/sessions?subject=eve&limit=1&cursor=${first.next_cursor}`,
        undefined,
        asOperator,
      )
    ).body;
    expect([...first.items, ...rest.items].map((session) => session.id).sort()).toEqual([id, other.id].sort());
    expect(JSON.stringify(first)).not.toContain(token);
    expect((await service.call("DELETE", `/api/v1/sessions/${id}`, undefined, asOperator)).status).toBe(204);
    expect((await service.call("DELETE", `/api/v1/sessions/${id}`, undefined, asOperator)).status).toBe(404);
    expect((await service.call("DELETE", "/api/v1/sessions?subject=eve", undefined, asOperator)).body).toEqual({
      revoked: 1,
    });
    expect((await service.call("GET", "/api/v1/sessions/current", undefined, bearer(other.token))).status).toBe(401);
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
    const answer = await service.call("GET", `/api/v1/sessions?${query}`, undefined, asOperator);
    expect(answer.status).toBe(422);
  });
});
