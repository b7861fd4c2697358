import { expect, it } from "vitest";
import { sessionId, subjectTag } from "../../store/session-id.js";
import { BUCKETS, epochKey, Keys, recordKey } from "./keys.js";

const unique = (n: number): Uint8Array => Buffer.from(String(n).padStart(15, "0"));

it("puts a session, its subject's epoch and its subject's other sessions into one bucket", () => {
  const keys = new Keys("session:");
  for (const subject of ["ann", "", "a:b", "名前", "x".repeat(256)]) {
    const [first, second] = [sessionId(subject, unique(1)), sessionId(subject, unique(2))];
    expect(keys.base(first)).toBe(keys.base(second));
    expect(keys.base(first)).toBe(keys.baseOfSubject(subject));
    expect(recordKey(keys.base(first), first)).toMatch(/^session:\{[0-9a-f]{2}\}:s:/);
    expect(epochKey(keys.base(first), subjectTag(subject))).toMatch(/^session:\{[0-9a-f]{2}\}:e:/);
  }
});

it("spreads subjects, anonymous sessions and contexts evenly over its buckets", () => {
  const keys = new Keys("session:");
  const ids = {
    subjects: (n: number) => sessionId(`user-${n}`, unique(0)),
    anonymous: (n: number) => sessionId(null, unique(n)),
    contexts: (n: number) => `run:01a2056c-b3de-7bae-90b9-${String(n).padStart(12, "0")}`,
  };
  const perBucket = 60;
  for (const [kind, idOf] of Object.entries(ids)) {
    const counts = new Map<string, number>();
    for (let n = 0; n < BUCKETS * perBucket; n += 1) {
      const base = keys.base(idOf(n));
      counts.set(base, (counts.get(base) ?? 0) + 1);
    }
    expect(counts.size, kind).toBe(BUCKETS);
    // Six standard deviations of an even spread.
    const [least, most] = [Math.min(...counts.values()), Math.max(...counts.values())];
    expect(least, kind).toBeGreaterThan(perBucket - 6 * Math.sqrt(perBucket));
    expect(most, kind).toBeLessThan(perBucket + 6 * Math.sqrt(perBucket));
  }
});

it("keeps a prefix's own hash tag, and refuses one that would break the slots apart, naming the key", () => {
  expect(new Keys("{app}:").base("a")).toMatch(/^\{app\}:\{..\}:$/);
  const refused = { code: "config-invalid", details: { key: "session.context.prefix" } };
  for (const prefix of ["{}", "a{}:", "{", "}", "a}b{", "{a}{b}", "a b", "é", "a\n", "x".repeat(201)])
    expect(() => new Keys(prefix), prefix).toThrow(expect.objectContaining(refused));
});
