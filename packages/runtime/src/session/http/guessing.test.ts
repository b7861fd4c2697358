import { describe, expect, it } from "vitest";
import { createManualClock } from "../../testing/manual-clock.js";
import { GuessingLimiter, type GuessingOptions } from "./guessing.js";
import type { SessionRequest } from "./session-request.js";

const from = (ip: string): SessionRequest => ({ headers: {}, ip });

function setUp(options: GuessingOptions = {}) {
  const clock = createManualClock();
  const limiter = new GuessingLimiter(options, clock);
  let made = 0;
  /** How many of `tokens` different tokens were refused. */
  const guess = (ip: string, tokens: number): number =>
    Array.from({ length: tokens }, () => limiter.count(from(ip), `token ${made++}`)).filter(Boolean).length;
  return { clock, limiter, guess };
}

describe("clients that try tokens", () => {
  it("are refused from the 21st different one in a minute on, and told when it ends", () => {
    const { clock, limiter, guess } = setUp();
    expect(guess("192.0.2.1", 20)).toBe(0);
    clock.advance(59_000);
    expect(limiter.count(from("192.0.2.1"), "x")).toEqual({ perMinute: 20, retryAfterMs: 1_000, isFirst: true });
    expect(limiter.count(from("192.0.2.1"), "y")).toMatchObject({ isFirst: false });
    clock.advance(1_000);
    expect(guess("192.0.2.1", 20)).toBe(0);
    expect(guess("192.0.2.1", 1)).toBe(1);
  });

  it("are not those that come with one token again and again", () => {
    const { limiter, guess } = setUp();
    guess("192.0.2.1", 19);
    for (let n = 0; n < 100; n += 1) expect(limiter.count(from("192.0.2.1"), "expired")).toBeUndefined();
    expect(guess("192.0.2.1", 1)).toBe(1);
    expect(limiter.count(from("192.0.2.1"), "expired")).toBeUndefined();
  });

  it("do not trouble others", () => {
    const { guess } = setUp({ perMinute: 3 });
    expect(guess("192.0.2.1", 10)).toBe(7);
    expect(guess("192.0.2.2", 3)).toBe(0);
    expect(guess("::ffff:192.0.2.3", 3)).toBe(0);
    expect(guess("::ffff:192.0.2.4", 3)).toBe(0);
  });

  it("are one when they share the first 64 bits of an IPv6 address, however it is written", () => {
    const { guess } = setUp({ perMinute: 3 });
    expect(guess("2001:db8:0:1::1", 1)).toBe(0);
    expect(guess("2001:db8:0:1:ffff:ffff:ffff:ffff", 1)).toBe(0);
    expect(guess("2001:db8::1:0:0:0:5", 1)).toBe(0);
    expect(guess("2001:db8:0:1:a::", 1)).toBe(1);
    expect(guess("2001:db8:0:2::1", 3)).toBe(0);
  });

  it("are counted by what the service says, as behind a proxy", () => {
    const { limiter } = setUp({ perMinute: 1, client: ({ headers }) => String(headers["x-client"]) });
    const by = (client: string): SessionRequest => ({ headers: { "x-client": client }, ip: "192.0.2.1" });
    expect(limiter.count(by("a"), "1")).toBeUndefined();
    expect(limiter.count(by("b"), "2")).toBeUndefined();
    expect(limiter.count(by("a"), "3")).toBeDefined();
  });

  it("are forgotten beyond the bound, the one remembered longest first", () => {
    const { guess } = setUp({ perMinute: 1, maxClients: 2 });
    guess("a", 1);
    guess("b", 1);
    expect(guess("a", 1)).toBe(1);
    guess("c", 1);
    expect(guess("b", 1)).toBe(1);
    expect(guess("a", 1)).toBe(0);
  });

  it("need bounds that are whole numbers", () => {
    for (const [key, value] of [
      ["perMinute", 0],
      ["perMinute", 1.5],
      ["maxClients", -1],
      ["maxClients", Number.NaN],
    ] as const) {
      expect(() => setUp({ [key]: value })).toThrow(
        expect.objectContaining({ code: "config-invalid", details: { key: `guessing.${key}` } }),
      );
    }
  });
});
