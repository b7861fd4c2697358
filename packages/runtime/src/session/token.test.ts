import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { systemPorts } from "../ports.js";
import { subjectTag, tagOf } from "../store/session-id.js";
import { createSeed, createSessionId, createToken, readToken, successorOf } from "./token.js";

const { random } = systemPorts;
const NOW = Date.UTC(2026, 0, 1);
const anId = (): string => createSessionId(null, NOW, random);

describe("a session token", () => {
  it("is the session's id and 44 characters of base64url, and no two of 10,000 are alike", () => {
    const id = anId();
    const tokens = new Set(Array.from({ length: 10_000 }, () => createToken(id, random)));
    expect(tokens.size).toBe(10_000);
    const isToken = (token: string): boolean => /^[A-Za-z0-9_-]{80}$/.test(token) && token.startsWith(id);
    expect([...tokens].filter((token) => !isToken(token))).toEqual([]);
  });

  it("holds exactly the 33 bytes that the random port gave", () => {
    const bytes = Uint8Array.from({ length: 33 }, (_, n) => n * 7);
    const asked: number[] = [];
    const give = (length: number): Uint8Array => {
      asked.push(length);
      return bytes;
    };
    const secret = createToken(anId(), { float: () => 0, bytes: give }).slice(36);
    expect(Buffer.from(secret, "base64url")).toEqual(Buffer.from(bytes));
    expect(asked).toEqual([33]);
  });

  it("uses every bit: over 2,000 tokens, and as many successors, each of the 264 is set about half of the time", () => {
    const id = anId();
    const making = [() => createToken(id, random), () => successorOf(createToken(id, random), createSeed(random))];
    for (const make of making) {
      const counts = new Array<number>(264).fill(0);
      for (let n = 0; n < 2_000; n += 1) {
        const bytes = Buffer.from(make().slice(36), "base64url");
        for (let bit = 0; bit < 264; bit += 1)
          counts[bit] = (counts[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1);
      }
      // 1,000 expected, standard deviation 22: eight of them away happens once in 10^12 runs.
      expect(Math.min(...counts)).toBeGreaterThan(820);
      expect(Math.max(...counts)).toBeLessThan(1_180);
    }
  });

  it("is read as the id and the SHA-256 of the whole in hex", () => {
    const id = anId();
    const token = createToken(id, random);
    expect(readToken(token)).toEqual({ id, hash: createHash("sha256").update(token).digest("hex") });
  });

  const token = "A".repeat(80);
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
    ["a hash of a token", readToken(token)?.hash],
    ["an id", token.slice(0, 36)],
    ["an array", [token]],
    ["a number", 80],
    ["undefined", undefined],
    ["null", null],
    ["an object with a length", { length: 80, toString: () => token }],
  ];
  it.each(malformed)("has a shape that a text does not have which is %s", (_what, text) => {
    expect(readToken(text)).toBeUndefined();
  });
});

describe("the successor of a token", () => {
  it("is the same for the same token and seed, of the same session, and another for any other", () => {
    const id = anId();
    const [token, other] = [createToken(id, random), createToken(id, random)];
    const [seed, otherSeed] = [createSeed(random), createSeed(random)];
    const successor = successorOf(token, seed);
    expect(successorOf(token, seed)).toBe(successor);
    expect(readToken(successor)?.id).toBe(id);
    const all = [token, other, successor, successorOf(token, otherSeed), successorOf(other, seed), seed];
    expect(new Set(all).size).toBe(all.length);
    expect(seed).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });
});

describe("the id of a session", () => {
  it("is 36 characters, lies with its subject's others, and no two are alike", () => {
    const ids = new Set<string>();
    for (let n = 0; n < 1_000; n += 1) {
      const id = createSessionId("ann", NOW, random);
      expect(id).toMatch(/^[A-Za-z0-9_-]{36}$/);
      expect(tagOf(id)).toBe(subjectTag("ann"));
      ids.add(id);
    }
    expect(ids.size).toBe(1_000);
  });

  it("without a subject lies anywhere, and with no subject's", () => {
    const tags = new Set(Array.from({ length: 100 }, () => tagOf(anId())));
    expect(tags.size).toBe(100);
    // The first bit tells them apart: base64url begins with A to Z, or a to f, where it is not set.
    for (const tag of tags) expect(tag).toMatch(/^[A-Za-f]/);
    expect(subjectTag("ann")).not.toMatch(/^[A-Za-f]/);
  });
});
