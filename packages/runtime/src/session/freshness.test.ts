import { describe, expect, it } from "vitest";
import { isFresh, requireFresh } from "./freshness.js";

const NOW = 1_000_000;
const signedIn = (level: number, ageMs: number) => ({ signIn: { level, methods: [], at: NOW - ageMs } });

describe("a fresh sign-in", () => {
  it("is younger than the age, by the millisecond", () => {
    expect(isFresh(signedIn(1, 299_999), { maxAgeMs: 300_000 }, NOW)).toBe(true);
    expect(isFresh(signedIn(1, 300_000), { maxAgeMs: 300_000 }, NOW)).toBe(false);
  });

  it("has the level or a higher one", () => {
    expect(isFresh(signedIn(2, 0), { level: 2 }, NOW)).toBe(true);
    expect(isFresh(signedIn(3, 0), { level: 2 }, NOW)).toBe(true);
    expect(isFresh(signedIn(1, 0), { level: 2 }, NOW)).toBe(false);
  });

  it("meets both where both are asked for", () => {
    const both = { maxAgeMs: 10, level: 2 };
    expect(isFresh(signedIn(2, 9), both, NOW)).toBe(true);
    expect(isFresh(signedIn(1, 9), both, NOW)).toBe(false);
    expect(isFresh(signedIn(2, 10), both, NOW)).toBe(false);
  });

  it("is none where there was none, and none by a number that is no number", () => {
    expect(isFresh({ signIn: null }, {}, NOW)).toBe(false);
    expect(isFresh(signedIn(1, 1), {}, NOW)).toBe(true);
    expect(isFresh(signedIn(1, 1), { maxAgeMs: Number.NaN }, NOW)).toBe(false);
    expect(isFresh(signedIn(1, 1), { level: Number.NaN }, NOW)).toBe(false);
  });

  it("is required by an error that says what is, and what there was", () => {
    expect(() => requireFresh(signedIn(2, 9), { maxAgeMs: 10, level: 2 }, NOW)).not.toThrow();
    const refused = (details: object) =>
      expect.objectContaining({ code: "session-stale-sign-in", status: 401, details });
    const old = () => requireFresh(signedIn(1, 10), { maxAgeMs: 10, level: 2 }, NOW);
    expect(old).toThrow(refused({ maxAgeMs: 10, level: 2 }));
    expect(old).toThrow("expected a sign-in of level 2 or higher younger than 10 ms, got one of level 1, 10 ms old");
    expect(() => requireFresh({ signIn: null }, { level: 2 }, NOW)).toThrow(refused({ level: 2 }));
    expect(() => requireFresh({ signIn: null }, {}, NOW)).toThrow(/expected a sign-in, got none/);
  });
});
