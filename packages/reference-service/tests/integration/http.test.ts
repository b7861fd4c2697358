import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "./service.js";

const JSON_TYPE = { "content-type": "application/json" };

describe("the HTTP interface", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const problem = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const answer = await service.call(method, path, body, headers);
    expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ type: "about:blank", status: answer.status, code: expect.any(String) });
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.[jt]s:\d|\\n +at /);
    return answer;
  };

  it("lives, and names each dependency that makes it ready", async () => {
    expect((await service.call("GET", "/health/live")).body).toEqual({ status: "up" });
    const ready = await service.call("GET", "/health/ready");
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({
      status: "up",
      dependencies: { database: { status: "up" }, sessions: { status: "up" } },
    });
  });

  it("gives metrics in Prometheus text format", async () => {
    await service.call("GET", "/health/live");
    const { headers, body } = await service.call("GET", "/metrics");
    expect(headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toMatch(
      /^http_request_duration_seconds_count\{method="GET",route="\/health\/live",status="200"\} \d+$/m,
    );
  });

  it("describes itself in OpenAPI 3.1 and on a page that loads nothing", async () => {
    const { body } = await service.call("GET", "/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    expect(Object.keys(body.paths)).toContain("/api/v1/sessions/current");
    const docs = await service.call("GET", "/docs");
    expect(docs.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(docs.body).not.toMatch(/<script|<img|<link|@import|url\(/i);
  });

  it("says of every call that it may be refused, and how", async () => {
    const { body } = await service.call("GET", "/openapi.json");
    const operations = Object.values(body.paths).flatMap((path) => Object.values(path as object));
    expect(operations.length).toBeGreaterThan(5);
    for (const { responses } of operations) {
      expect(Object.keys(responses.default.content)).toEqual(["application/problem+json"]);
    }
    expect(Object.keys(body.paths["/api/v1/sessions/current"].delete.responses)).toContain("204");
  });

  it("gives every request an id of its own", async () => {
    const headers = { "x-request-id": "forged" };
    const ids = [
      await service.call("GET", "/health/live", undefined, headers),
      await service.call("GET", "/nowhere", undefined, headers),
    ];
    const [first, second] = ids.map((answer) => answer.headers.get("x-request-id"));
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
  });

  it.each([
    ["GET", "/nowhere", 404, "not-found"],
    ["GET", "/api/v1/sessions/a/b/c", 404, "not-found"],
    ["DELETE", `/api/v1/sessions/${"a".repeat(500)}`, 404, "not-found"],
    ["PUT", "/health/live", 405, "method-not-allowed"],
    ["DELETE", "/openapi.json", 405, "method-not-allowed"],
    ["GET", "/api/v1/%E0%A4%A", 400, "malformed-url"],
    ["GET", "/api/v1/sessions?limit=0", 401, "operator-token-required"],
  ])("answers %s %s with %i %s", async (method, path, status, code) => {
    const answer = await problem(method, path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it("names the methods a path is served under", async () => {
    expect((await problem("PUT", "/health/live")).headers.get("allow")).toBe("GET, HEAD");
  });

  it.each<[string, string, number, string]>([
    ["malformed JSON", "{", 400, "malformed-json"],
    ["text that is not UTF-8", "\uD800", 422, "validation-failed"],
    ["an array", "[]", 422, "validation-failed"],
    ["null", "null", 422, "validation-failed"],
    ["an unknown key", '{"surprise":1}', 422, "validation-failed"],
    ["a key that reaches the prototype", '{"data":{"__proto__":{"admin":true}}}', 422, "validation-failed"],
    ["a constructor key deep down", '{"data":{"a":[{"constructor":1}]}}', 422, "validation-failed"],
    ["NUL in a string", '{"data":{"a":"\\u0000"}}', 422, "validation-failed"],
    ["a lone surrogate", '{"data":{"a":"\\ud800"}}', 422, "validation-failed"],
    ["a number beyond a double", '{"data":{"a":1e999}}', 422, "validation-failed"],
    ["deep nesting", `{"data":${"[".repeat(20_000)}${"]".repeat(20_000)}}`, 422, "validation-failed"],
    ["a wrong type", '{"ttl":"10"}', 422, "validation-failed"],
    ["a ttl out of range", '{"ttl":1e15}', 422, "validation-failed"],
  ])("refuses %s in a body", async (_what, body, status, code) => {
    const payload = body === "\uD800" ? '{"subject":"\\udfff"}' : body;
    const answer = await problem("POST", "/api/v1/sessions", payload);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it("says where a body does not fit", async () => {
    const { body } = await problem("POST", "/api/v1/sessions", { subject: 3, surprise: true });
    expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(["subject", "surprise"]);
    const choice = await problem("POST", "/api/v1/sessions", { transport: "pigeon" });
    expect(choice.body.errors).toEqual([{ path: "transport", message: "expected one of cookie, bearer" }]);
    const missing = await problem("DELETE", "/api/v1/sessions", undefined, asOperator);
    expect(missing.body.errors).toEqual([{ path: "", message: "expected subject" }]);
  });

  it("refuses a body in bytes that are not UTF-8", async () => {
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    const answer = await fetch(`${service.url}/api/v1/sessions`, { method: "POST", headers: JSON_TYPE, body });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, "malformed-json"]);
  });

  it("refuses other media types and bodies over the limit", async () => {
    const text = await problem("POST", "/api/v1/sessions", "a=1", {
      "content-type": "application/x-www-form-urlencoded",
    });
    expect([text.status, text.body.code]).toEqual([415, "unsupported-media-type"]);
    const packed = await problem("POST", "/api/v1/sessions", "{}", { ...JSON_TYPE, "content-encoding": "gzip" });
    expect([packed.status, packed.body.code]).toEqual([415, "unsupported-media-type"]);
    const large = JSON.stringify({ data: { a: "x".repeat(service.settings.app.http.body_limit) } });
    const answer = await problem("POST", "/api/v1/sessions", large);
    expect([answer.status, answer.body.code]).toEqual([413, "payload-too-large"]);
  });

  it("survives hostile credentials", async () => {
    const long = "x".repeat(10_000);
    for (const authorization of [`Bearer ${long}`, "Bearer", "Basic YTpi", "Bearer ''; drop table", "Bearer %00"]) {
      expect((await problem("GET", "/api/v1/sessions/current", undefined, { authorization })).status).toBe(401);
      expect((await problem("GET", "/api/v1/sessions", undefined, { authorization })).status).toBe(403);
    }
    for (const cookie of [`session=${long}`, "session=a; session=b", "session", "=;;=", "session=%E0%A4%A"]) {
      expect((await problem("GET", "/api/v1/sessions/current", undefined, { cookie })).status).toBe(401);
    }
  });

  it("answers what is not HTTP with a problem and hangs up", async () => {
    const { port } = new URL(service.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nno colon here\r\n\r\n"));
      let text = "";
      socket
        .on("data", (chunk) => (text += chunk))
        .on("end", () => resolve(text))
        .on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/"code":"malformed-request"/);
  });
});
