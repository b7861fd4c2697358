import fc from "fast-check";
import { expect, it } from "vitest";
import { type Json, toJson } from "./json.js";

/** What a step may return, and much that it should not. */
const anything = fc.anything({
  ...{ withDate: true, withSparseArray: true, withNullPrototype: true, withBigInt: true, withTypedArray: true },
  ...{ withMap: true, withSet: true, withObjectString: true, withBoxedValues: true, maxDepth: 3 },
});
const values = fc.oneof(anything, fc.jsonValue(), fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()));

function outcome(make: () => unknown): unknown {
  try {
    return { value: make() };
  } catch {
    return "refused";
  }
}

it("gives what a store will give back, whatever a handler returns, or refuses it", () => {
  fc.assert(
    fc.property(values, (value) => {
      const expected = outcome(() => JSON.parse(JSON.stringify(value) ?? "null"));
      const got = outcome(() => toJson(value, "it"));
      // Some JSON is refused; what is taken is as JSON has it.
      if (got !== "refused") expect(got).toEqual(expected);
      else expect(expected === "refused" || isRefused((expected as { value: Json }).value)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

/** A text that no database takes, a key that would reach a prototype, too many levels. */
function isRefused(json: Json, depth = 0): boolean {
  if (typeof json === "string") return json.includes("\0") || !json.isWellFormed();
  if (json === null || typeof json !== "object") return false;
  if (depth > 64) return true;
  return Object.entries(json).some(
    ([key, value]) =>
      ["__proto__", "constructor", "prototype"].includes(key) || isRefused(key) || isRefused(value, depth + 1),
  );
}

it("keeps nothing of what it was given: who changes it later changes nothing", () => {
  const given = { list: [{ n: 1 }], of: { things: ["a"] } };
  const kept = toJson(given, "it");
  given.list.push({ n: 2 });
  given.of.things[0] = "b";
  expect(kept).toEqual({ list: [{ n: 1 }], of: { things: ["a"] } });
});

it.each([
  ["a date", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
  ["what says itself how", { money: { toJSON: () => "3.00" } }, { money: "3.00" }],
  ["nothing", { a: undefined, b: 1 }, { b: 1 }],
  ["a negative zero", { zero: -0 }, { zero: 0 }],
  ["a large text", { text: "x".repeat(100_000) }, { text: "x".repeat(100_000) }],
])("takes %s as JSON does", (_, value, expected) => {
  expect(toJson(value, "it")).toStrictEqual(expected);
});

it("refuses what is too large, also when it is made of small parts", () => {
  expect(() => toJson({ list: Array.from({ length: 500 }, () => "x".repeat(10)) }, "it", 1_000)).toThrow(
    /at most 1000 bytes/,
  );
});

it("refuses what is too large, whatever it is made of", () => {
  const parts = fc.constantFrom<Json>(-1.2345678901234567e-308, "\u0001".repeat(9), false, null, {}, { k: "" }, [[]]);
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 8_000 }), fc.constantFrom(25_000, 70_000), (part, count, limit) => {
      const value = { list: Array.from({ length: count }, () => part) };
      const bytes = Buffer.byteLength(JSON.stringify(value));
      const got = outcome(() => toJson(value, "it", limit));
      expect(got === "refused").toBe(bytes > limit);
    }),
    { numRuns: 500 },
  );
});
