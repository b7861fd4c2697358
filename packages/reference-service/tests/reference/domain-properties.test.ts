import fc from "fast-check";
import { expect, test } from "vitest";
import {
  boundVolumeFields,
  checkBoundVolumePatch,
  checkNewBoundVolume,
} from "../../src/domain/bound-volume/bound-volume.generated.js";
import { compareDecimals, decimalText } from "../../src/domain/decimal.js";
import { isJson, type Json, mergePatch } from "../../src/domain/json.js";
import { readValue } from "../../src/domain/values.js";

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const decimal = fc
  .tuple(fc.boolean(), digits(40), fc.option(digits(40), { nil: undefined }))
  .map(([minus, whole, fraction]) => `${minus ? "-" : ""}${whole}${fraction === undefined ? "" : `.${fraction}`}`);

/** The decimal as a whole number of 10^-80. */
function scaled(text: string): bigint {
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole + fraction.padEnd(80, "0"));
  return text.startsWith("-") ? -value : value;
}

test("a decimal keeps its value and its scale, and its text is taken again unchanged", () => {
  fc.assert(
    fc.property(decimal, (text) => {
      const kept = decimalText(text);
      expect(scaled(kept ?? "none")).toBe(scaled(text));
      expect(kept?.split(".")[1]).toBe(text.split(".")[1]);
      expect(decimalText(kept)).toBe(kept);
    }),
  );
});

test("decimals compare as the numbers they are", () => {
  fc.assert(
    fc.property(decimal, decimal, (a, b) => {
      const [left, right] = [scaled(a), scaled(b)];
      expect(compareDecimals(decimalText(a) ?? "", decimalText(b) ?? "")).toBe(
        left < right ? -1 : left > right ? 1 : 0,
      );
    }),
  );
});

test("a number with at most 15 digits is the decimal that was written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), fc.integer({ min: 0, max: 15 }), (whole, scale) => {
      const written = `${whole}`.padStart(scale + 1, "0");
      const text = scale === 0 ? written : `${written.slice(0, -scale)}.${written.slice(-scale)}`;
      expect(scaled(decimalText(JSON.parse(text)) ?? "none")).toBe(scaled(text));
    }),
  );
});

test("whatever comes, a double is taken exactly or not at all", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const kept = decimalText(value);
      if (kept !== null) expect(Object.is(Number(kept), value) || value === 0).toBe(true);
    }),
  );
});

const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withMap: true, withSparseArray: true });
const fields = Object.entries(boundVolumeFields);

test("no field's reader throws, and what it keeps is kept unchanged", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...fields),
      fc.oneof(anything, fc.jsonValue(), fc.string(), decimal),
      ([, field], value) => {
        const kept = readValue(field, value);
        if (typeof kept === "object" && kept !== null && "message" in kept && field.type !== "json") return;
        expect(readValue(field, kept)).toEqual(kept);
      },
    ),
    { numRuns: 2000 },
  );
});

test("a checker gives all values or a complaint, whatever comes, and takes its own result back", () => {
  const names = fc.constantFrom(...fields.map(([name]) => name), "__proto__", "constructor", "other");
  fc.assert(
    fc.property(fc.oneof(anything, fc.dictionary(names, anything)), (input) => {
      const { values, violations } = checkNewBoundVolume(input);
      if (values === undefined) expect(violations?.length).toBeGreaterThan(0);
      else expect(checkNewBoundVolume(values)).toEqual({ values });
    }),
    { numRuns: 1000 },
  );
});

test("an empty patch changes nothing, and the same patch twice is the patch once", () => {
  const { values } = checkNewBoundVolume({
    title: "Faust",
    callNumber: "AB-0001",
    pageCount: 1,
    price: "1.0",
    colophon: {},
  });
  if (values === undefined) throw new Error("expected a volume that fits");
  fc.assert(
    fc.property(fc.jsonValue(), (colophon) => {
      fc.pre(isJson(colophon));
      const once = checkBoundVolumePatch(values, { colophon }).values ?? values;
      expect(checkBoundVolumePatch(once, {}).values).toEqual(once);
      expect(checkBoundVolumePatch(once, { colophon }).values).toEqual(once);
    }),
  );
});

// The examples of RFC 7396, appendix A.
test.each<[target: Json, patch: Json, result: Json]>([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("merging into %j the patch %j gives %j", (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});
