import { describe, expect, it } from "vitest";
import { boundOrigin, checkDelta, checkDevice, checkSignIn, checkTtl } from "./session-bounds.js";

const INVALID = expect.objectContaining({ code: "input-invalid" });

describe("bounds of what callers say of a session", () => {
  it("take an idle time up to the lifetime, which bounds the default too", () => {
    expect([checkTtl(undefined, 1_000, 300), checkTtl(300, 1_000, 300)]).toEqual([300, 300]);
    expect(() => checkTtl(301, 1_000, 300)).toThrow(INVALID);
  });

  it("take levels from 1 to 9", () => {
    for (const level of [1, 9]) expect(checkSignIn({ level })).toEqual({ level, methods: [] });
    for (const level of [0, 10, 1.5, -1, Number.NaN, "1" as never, undefined as never])
      expect(() => checkSignIn({ level }), String(level)).toThrow(INVALID);
  });

  it("take at most 10 methods of 32 plain characters, and a time that is one", () => {
    const most = Array.from({ length: 10 }, (_, n) => `${n}`.padEnd(32, "_-z"));
    expect(checkSignIn({ level: 1, methods: most, at: 0 })).toEqual({ level: 1, methods: most, at: 0 });
    for (const methods of [[...most, "pwd"], ["x".repeat(33)], [""], ["PWD"], ["a b"], ["a\n"], [1], "pwd"] as never[])
      expect(() => checkSignIn({ level: 1, methods }), JSON.stringify(methods)).toThrow(INVALID);
    for (const at of [-1, 0.5, Number.NaN, "0" as never]) expect(() => checkSignIn({ level: 1, at })).toThrow(INVALID);
  });

  it("keep of a sign-in and a device nothing that nobody asked for", () => {
    const odd = { level: 1, secret: "x", ip: "::1" };
    expect(checkSignIn(odd)).toEqual({ level: 1, methods: [] });
    expect(checkDevice(odd)).toEqual({ ip: "::1" });
    expect(checkDevice(undefined)).toBeNull();
  });

  it("refuse an address of more than 64 characters and a label of more than 128, or ones no database takes", () => {
    const most = { ip: "x".repeat(64), label: "x".repeat(128) };
    expect(checkDevice(most)).toEqual(most);
    for (const ip of ["x".repeat(65), "\0", "\ud800", 1 as never]) expect(() => checkDevice({ ip })).toThrow(INVALID);
    for (const label of ["x".repeat(129), "\0", "\ud800", 1 as never])
      expect(() => checkDevice({ label })).toThrow(INVALID);
  });

  it("cut a user agent to 512 characters and never refuse it, whatever a stranger sent", () => {
    expect(checkDevice({ userAgent: "x".repeat(513) })?.userAgent).toBe("x".repeat(512));
    expect(checkDevice({ userAgent: `${"x".repeat(511)}😀` })?.userAgent).toBe(`${"x".repeat(511)}\ufffd`);
    expect(checkDevice({ userAgent: "a\r\nb\0c\ud800" })?.userAgent).toBe("a  b c\ufffd");
  });

  it("cut and clean the origin of a call, and leave out what is no text", () => {
    const long = { ip: "1\n".repeat(64), userAgent: "x\r".repeat(512) };
    expect(boundOrigin(long)).toEqual({ ip: "1 ".repeat(32), userAgent: "x ".repeat(256) });
    expect(boundOrigin({ ip: 1, userAgent: null, token: "secret" } as never)).toEqual({});
  });

  it("take a delta of fields and names only", () => {
    expect(checkDelta({})).toEqual({ set: {}, unset: [] });
    expect(checkDelta({ set: { a: null }, unset: ["b"] })).toEqual({ set: { a: null }, unset: ["b"] });
    for (const set of [[], "x", 1, { a: 1n }, JSON.parse('{"__proto__":1}')] as never[])
      expect(() => checkDelta({ set })).toThrow(INVALID);
    for (const unset of ["a", [1], { a: 1 }, ["\ud800"]] as never[])
      expect(() => checkDelta({ unset })).toThrow(INVALID);
    const many = Array.from({ length: 20_000 }, (_, n) => `name${n}`);
    expect(() => checkDelta({ unset: many })).toThrow(expect.objectContaining({ code: "payload-too-large" }));
  });
});
