import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { systemPorts } from "../ports.js";
import { createToken, hashToken } from "./token.js";

describe("a session token", () => {
  it("is 43 characters of base64url, and no two of 10,000 are alike", () => {
    const tokens = new Set(Array.from({ length: 10_000 }, () => createToken(systemPorts.random)));
    expect(tokens.size).toBe(10_000);
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it("holds exactly the 32 bytes that the random port gave", () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, n) => n * 7);
    const asked: number[] = [];
    const give = (length: number): Uint8Array => {
      asked.push(length);
      return bytes;
    };
    const random = { float: () => 0, bytes: give };
    expect(Buffer.from(createToken(random), "base64url")).toEqual(Buffer.from(bytes));
    expect(asked).toEqual([32]);
  });

  it("uses every bit: over 2,000 tokens each of the 256 is set about half of the time", () => {
    const counts = new Array<number>(256).fill(0);
    for (let n = 0; n < 2_000; n += 1) {
      const bytes = Buffer.from(createToken(systemPorts.random), "base64url");
      for (let bit = 0; bit < 256; bit += 1)
        counts[bit] = (counts[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1);
    }
    // 1,000 expected, standard deviation 22: eight of them away happens once in 10^12 runs.
    expect(Math.min(...counts)).toBeGreaterThan(820);
    expect(Math.max(...counts)).toBeLessThan(1_180);
  });

  it("is known to stores by its SHA-256 in hex", () => {
    const token = createToken(systemPorts.random);
    expect(hashToken(token)).toBe(createHash("sha256").update(token).digest("hex"));
  });

  it("every token made has the shape of one", () => {
    for (let n = 0; n < 1_000; n += 1) expect(hashToken(createToken(systemPorts.random))).toBeDefined();
  });

  const token = "A".repeat(43);
  const malformed: readonly (readonly [string, unknown])[] = [
    ["empty", ""],
    ["one character short", token.slice(1)],
    ["one character long", `${token}A`],
    ["10 kB", "A".repeat(10_000)],
    ["padded", `${token.slice(1)}=`],
    ["in the other base64 alphabet", `+/${token.slice(2)}`],
    ["not ASCII", `é${token.slice(1)}`],
    ["with a trailing newline", `${token.slice(1)}\n`],
    ["with a newline behind it", `${token}\n`],
    ["with a NUL", `\0${token.slice(1)}`],
    ["with bits behind the 256th", `${token.slice(1)}B`],
    ["a hash of a token", hashToken(token)],
    ["an array", [token]],
    ["a number", 43],
    ["undefined", undefined],
    ["null", null],
    ["an object with a length", { length: 43, toString: () => token }],
  ];
  it.each(malformed)("has a shape that a text does not have which is %s", (_what, text) => {
    expect(hashToken(text)).toBeUndefined();
  });
});
