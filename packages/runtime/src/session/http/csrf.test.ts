import { describe, expect, it } from "vitest";
import type { CsrfOptions } from "./csrf.js";
import { CsrfGuard } from "./csrf.js";
import { FRAMEWORKS, openWeb } from "./web-service.test.support.js";

const EVIL = "https://evil.example";

describe.each(FRAMEWORKS)("forged requests to %s", (framework) => {
  async function signedIn(csrf?: CsrfOptions | false) {
    const web = await openWeb(framework, { http: { ...(csrf !== undefined && { csrf }) } });
    const { cookie } = await web.call("POST", "/login");
    web.calls.length = 0;
    /** The status of an unsafe request with the cookie, and no Sec-Fetch-Site unless given. */
    const post = async (headers: Record<string, string>, method = "POST"): Promise<number> => {
      const sent = { "sec-fetch-site": [] as string[], ...headers };
      return (await web.call(method, "/set", { cookie, headers: sent })).status;
    };
    return { ...web, cookie, post };
  }

  it("are refused with 403 before the store is asked, whatever unsafe method they have", async () => {
    const { post, call, cookie, calls } = await signedIn();
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      expect(await post({ "sec-fetch-site": "cross-site", origin: EVIL }, method)).toBe(403);
    }
    const { text, headers } = await call("POST", "/set", { cookie, headers: { "sec-fetch-site": "cross-site" } });
    expect(headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(JSON.parse(text)).toMatchObject({ status: 403, code: "session-csrf" });
    expect(calls).toEqual([]);
  });

  it.each([
    ["of another origin of the same site", { "sec-fetch-site": "same-site" }],
    ["of a browser that says nothing", {}],
    ["with an Origin of another site", { origin: EVIL }],
    ["with a null Origin", { origin: "null" }],
    ["with an Origin whose host begins like ours", { origin: "https://127.0.0.1.evil.example" }],
    [
      "with a Sec-Fetch-Site that contradicts a forged Origin",
      { "sec-fetch-site": "cross-site", origin: "https://127.0.0.1" },
    ],
    ["with a token that was made up", { "x-csrf-token": "a".repeat(59) }],
    ["with an empty token", { "x-csrf-token": "" }],
    ["with a custom header that is not declared", { "x-requested-with": "fetch" }],
  ])("are those %s", async (_, headers) => {
    const { post } = await signedIn();
    expect(await post(headers as Record<string, string>)).toBe(403);
  });

  it("are not those of a page of ours, nor those that a user typed", async () => {
    const { post } = await signedIn();
    expect(await post({ "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await post({ "sec-fetch-site": "none" })).toBe(200);
  });

  it("are not those with the session's CSRF token; that of another session is none", async () => {
    const { post, call, cookie } = await signedIn();
    const tokenOf = async (of: string | undefined): Promise<string> =>
      JSON.parse((await call("GET", "/csrf", { cookie: of })).text).csrfToken;
    const tokens = [await tokenOf(cookie), await tokenOf(cookie)];
    expect(tokens[0]).not.toBe(tokens[1]);
    for (const token of tokens)
      expect(await post({ "x-csrf-token": token, "sec-fetch-site": "cross-site", origin: EVIL })).toBe(200);
    const other = await tokenOf((await call("POST", "/login?subject=bob")).cookie);
    expect(await post({ "x-csrf-token": other })).toBe(403);
    expect(await post({ "x-csrf-token": `${tokens[0]}x` })).toBe(403);
  });

  it("are not those that only read", async () => {
    const { call, cookie } = await signedIn();
    for (const method of ["GET", "HEAD", "OPTIONS"])
      expect((await call(method, "/mine", { cookie, headers: { "sec-fetch-site": "cross-site" } })).status).toBe(200);
  });

  it("are not those of origins, custom headers and exemptions that are declared", async () => {
    const { post } = await signedIn({
      origins: ["https://app.example"],
      customHeader: "x-requested-with",
      exempt: ({ headers }) => headers["x-exempt"] === "yes",
    });
    const cross = { "sec-fetch-site": "cross-site" };
    expect(await post({ ...cross, origin: "https://app.example" })).toBe(200);
    expect(await post({ ...cross, origin: "http://app.example" })).toBe(403);
    expect(await post({ ...cross, "x-requested-with": "fetch" })).toBe(200);
    expect(await post({ ...cross, "x-exempt": "yes" })).toBe(200);
    expect(await post(cross)).toBe(403);
  });

  it("are let through where the guard is turned off", async () => {
    const { post } = await signedIn(false);
    expect(await post({ "sec-fetch-site": "cross-site", origin: EVIL })).toBe(200);
  });

  it("cannot sign a browser in as somebody else, or begin a session for it", async () => {
    const { call, calls } = await openWeb(framework);
    for (const path of ["/login", "/set"]) {
      for (const headers of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": [], origin: EVIL }]) {
        const refused = await call("POST", path, { headers });
        expect([refused.status, refused.headers["set-cookie"]]).toEqual([403, undefined]);
      }
      // No browser: it says nothing, and nobody's cookie is in it.
      expect((await call("POST", path, { headers: { "sec-fetch-site": [] } })).status).toBe(200);
    }
    expect(calls).toEqual(["create", "create"]);
  });
});

describe("an Origin", () => {
  const judge = (secure: boolean, host: string, origin: string): boolean => {
    try {
      new CsrfGuard({}, secure).check({ method: "POST", headers: { host, origin } }, null);
      return true;
    } catch {
      return false;
    }
  };

  it("is ours when it names the host that was asked, over TLS when the cookie needs it", () => {
    expect(judge(true, "example.com", "https://example.com")).toBe(true);
    expect(judge(true, "example.com:8443", "https://example.com:8443")).toBe(true);
    expect(judge(true, "example.com", "http://example.com")).toBe(false);
    expect(judge(false, "example.com", "http://example.com")).toBe(true);
    expect(judge(true, "localhost:3000", "http://localhost:3000")).toBe(true);
    expect(judge(true, "example.com", "https://example.com:8443")).toBe(false);
    expect(judge(true, "example.com", "https://www.example.com")).toBe(false);
  });

  it.each(["app.example", "https://app.example/", "https://app.example/path", "*"])(
    "is refused in the options as %s",
    (origin) => {
      expect(() => new CsrfGuard({ origins: [origin] }, true)).toThrow(
        expect.objectContaining({ code: "config-invalid", details: { key: "csrf.origins" } }),
      );
    },
  );
});
