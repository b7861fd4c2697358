import { describe, expect, it } from "vitest";
import { AMBIGUOUS, type CookieOptions, createSessionCookie } from "./cookie.js";

const TOKEN = "t".repeat(80);

describe("the session's cookie", () => {
  it("is __Host-session, Secure, HttpOnly and SameSite=Lax, for the whole host and no other, until the browser closes", () => {
    expect(createSessionCookie().write(TOKEN)).toBe(`__Host-session=${TOKEN}; Path=/; HttpOnly; Secure; SameSite=Lax`);
  });

  it("is called session without TLS, as no prefix is allowed then", () => {
    expect(createSessionCookie({ secure: false }).write("t")).toBe("session=t; Path=/; HttpOnly; SameSite=Lax");
  });

  it("always names SameSite, and is always HttpOnly", () => {
    for (const sameSite of ["strict", "lax", "none"] as const) {
      const text = createSessionCookie({ sameSite }).write("t");
      expect(text.toLowerCase()).toContain(`; samesite=${sameSite}`);
      expect(text).toContain("; HttpOnly");
    }
  });

  it("has the attributes that are asked for", () => {
    const options = {
      name: "__Secure-id",
      domain: "example.com",
      path: "/app",
      sameSite: "strict",
      maxAgeMs: 90_500,
    } as const;
    expect(createSessionCookie(options).write("t")).toBe(
      "__Secure-id=t; Path=/app; Domain=example.com; HttpOnly; Secure; SameSite=Strict; Max-Age=90",
    );
  });

  it("is cleared with the attributes it was set with, or it would stay", () => {
    expect(createSessionCookie({ name: "__Host-Http-id", maxAgeMs: 5_000 }).clear()).toBe(
      "__Host-Http-id=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    );
  });

  const refused: readonly [what: string, options: CookieOptions, key: string][] = [
    ["a domain with the name's default, __Host-", { domain: "example.com" }, "cookie.domain"],
    ["a path with __Host-", { path: "/app" }, "cookie.path"],
    ["a domain with __Host-Http-", { name: "__Host-Http-a", domain: "example.com" }, "cookie.domain"],
    ["__Host- without secure", { name: "__Host-a", secure: false }, "cookie.secure"],
    ["__Host-Http- without secure", { name: "__Host-Http-a", secure: false }, "cookie.secure"],
    ["__Secure- without secure", { name: "__Secure-a", secure: false }, "cookie.secure"],
    ["__Http- without secure", { name: "__Http-a", secure: false }, "cookie.secure"],
    ["a prefix in another case, which browsers keep by half", { name: "__hOsT-a" }, "cookie.name"],
    ["SameSite=None without secure", { sameSite: "none", secure: false }, "cookie.sameSite"],
    ["a SameSite that is none", { sameSite: "loose" as "lax" }, "cookie.sameSite"],
    ["an empty name", { name: "" }, "cookie.name"],
    ["a name that ends the cookie", { name: "a;b" }, "cookie.name"],
    ["a name of which no token fits into 4,096 bytes", { name: "n".repeat(4_017) }, "cookie.name"],
    ["a path that ends the header", { name: "__Secure-a", path: "/\r\nx: y" }, "cookie.path"],
    ["a path that adds an attribute", { name: "__Secure-a", path: "/; Domain=evil" }, "cookie.path"],
    ["a domain that adds an attribute", { name: "__Secure-a", domain: "a; Path=/b" }, "cookie.domain"],
    ["more than 400 days", { maxAgeMs: 400 * 86_400_000 + 1 }, "cookie.maxAgeMs"],
    ["no time at all", { maxAgeMs: 0 }, "cookie.maxAgeMs"],
    ["a time that is none", { maxAgeMs: Number.NaN }, "cookie.maxAgeMs"],
  ];
  it.each(refused)("refuses at the start %s", (_, options, key) => {
    expect(() => createSessionCookie(options)).toThrow(
      expect.objectContaining({ code: "config-invalid", details: { key } }),
    );
  });

  it("names the way out when a domain contradicts the prefix", () => {
    expect(() => createSessionCookie({ domain: "example.com" })).toThrow(/name it __Secure-session/);
  });

  it("takes the longest name, 400 days, and 4,096 bytes in all; one more is a typed error", () => {
    const cookie = createSessionCookie({ name: "n".repeat(4_016), maxAgeMs: 400 * 86_400_000 });
    expect(cookie.write(TOKEN)).toContain(`; Max-Age=${400 * 86_400}`);
    const tooLarge = expect.objectContaining({
      code: "payload-too-large",
      details: { what: "cookie", bytes: 4_097, maxBytes: 4_096 },
    });
    expect(() => cookie.write(`${TOKEN}t`)).toThrow(tooLarge);
    expect(() => cookie.write(`${"t".repeat(79)}é`)).toThrow(tooLarge);
  });
});

describe("reading the session's cookie", () => {
  const { read } = createSessionCookie();
  const found: readonly [what: string, header: string][] = [
    ["alone", "__Host-session=abc"],
    ["first", "__Host-session=abc; b=1"],
    ["last", "a=1; __Host-session=abc"],
    ["in the middle", "a=1; __Host-session=abc; b=2"],
    ["without spaces", "a=1;__Host-session=abc;b=2"],
    ["among white space", " \t__Host-session=abc \t; b=2"],
    ["beside one whose name ends like it", "x__Host-session=1; __Host-session=abc"],
    ["beside one whose name begins like it", "__Host-session2=1; __Host-session=abc"],
    ["beside one whose value looks like it", "a=__Host-session=evil; __Host-session=abc"],
    ["beside those of other cases", "__host-session=1; __HOST-SESSION=2; __Host-session=abc"],
  ];
  it.each(found)("finds it %s", (_, header) => expect(read(header)).toBe("abc"));

  const missing: readonly [what: string, header: string][] = [
    ["in an empty header", ""],
    ["in another case", "__host-session=abc"],
    ["with a name that ends like it", "x__Host-session=abc"],
    ["with a name that begins like it", "__Host-session.x=abc"],
    ["in another one's value", "a=b __Host-session=abc"],
    ["in quotes of another one's value", 'a="x __Host-session=abc"'],
    ["with a space before the equals sign", "__Host-session =abc"],
    ["without a value", "__Host-session"],
  ];
  it.each(missing)("finds none %s", (_, header) => expect(read(header)).toBeUndefined());

  it("keeps what is in the value", () => {
    expect(read("__Host-session=a=b c%20; x")).toBe("a=b c%20");
    expect(read("__Host-session=; x")).toBe("");
  });

  it("takes none of two of its name, wherever they come from", () => {
    expect(read("__Host-session=abc; __Host-session=evil")).toBe(AMBIGUOUS);
    expect(read("__Host-session=abc; a=1; __Host-session=abc")).toBe(AMBIGUOUS);
    expect(read("__Host-session=;__Host-session=abc")).toBe(AMBIGUOUS);
  });
});
