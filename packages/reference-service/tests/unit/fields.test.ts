import { describe, expect, test } from "vitest";
import { checkNew, checkPatch } from "../../src/domain/check.js";
import type { Field, Fields } from "../../src/domain/fields.js";

/** What the field makes of the value: its kept form, or the message. */
function read(field: Partial<Field>, value: unknown): unknown {
  const fields: Fields<{ one: unknown }> = { one: { type: "string", required: true, ...field } };
  const checked = checkNew(fields, { one: value });
  return checked.violations === undefined ? checked.values.one : `refused: ${checked.violations[0]?.message}`;
}

const REFUSED = expect.stringMatching(/^refused: expected /);

describe("kept forms", () => {
  test.each([
    [{ type: "string" }, "any", "any"],
    [{ type: "string", maxLength: 2 }, "😀😀", "😀😀"],
    [{ type: "string", pattern: "^[A-Z]+$" }, "AB", "AB"],
    [{ type: "integer" }, -0, 0],
    [{ type: "integer", min: 1, max: 3 }, 3, 3],
    [{ type: "bigint" }, "9223372036854775807", 9223372036854775807n],
    [{ type: "bigint" }, -5, -5n],
    [{ type: "decimal", min: "0", max: "0.30" }, 0.3, "0.3"],
    [{ type: "boolean" }, false, false],
    [{ type: "uuid" }, "0190B2F6-5C8A-7C3E-9D1F-2B6A4E8C0D11", "0190b2f6-5c8a-7c3e-9d1f-2b6a4e8c0d11"],
    [{ type: "date" }, "2024-02-29", "2024-02-29"],
    [{ type: "timestamp" }, "2026-01-31T10:30:00.123456+01:00", "2026-01-31T09:30:00.123Z"],
    [{ type: "timestamp" }, "2026-01-31t09:30:00z", "2026-01-31T09:30:00.000Z"],
    [{ type: "json" }, { a: [1, null, "x"] }, { a: [1, null, "x"] }],
    [{ type: "enum", values: ["a", "b"] }, "b", "b"],
  ] satisfies [Partial<Field>, unknown, unknown][])("%j takes %j", (field, value, kept) => {
    expect(read(field, value)).toStrictEqual(kept);
  });
});

describe("refusals", () => {
  const deep: unknown = JSON.parse("[".repeat(70) + "]".repeat(70));
  test.each([
    [{ type: "string" }, 5],
    [{ type: "string" }, "a\0b"],
    [{ type: "string" }, "\ud800"],
    [{ type: "string", minLength: 1 }, ""],
    [{ type: "string", maxLength: 2 }, "abc"],
    [{ type: "string", pattern: "a" }, "a".repeat(1001)],
    [{ type: "text" }, null],
    [{ type: "integer" }, 1.5],
    [{ type: "integer" }, "1"],
    [{ type: "integer" }, 2 ** 53],
    [{ type: "integer", min: 1 }, 0],
    [{ type: "bigint" }, "9223372036854775808"],
    [{ type: "bigint" }, 2 ** 53],
    [{ type: "bigint" }, "1.0"],
    [{ type: "bigint" }, ""],
    [{ type: "bigint", max: "9223372036854775806" }, "9223372036854775807"],
    [{ type: "decimal" }, "1e3"],
    [{ type: "decimal", max: "0.3" }, "0.30000000000000000001"],
    [{ type: "boolean" }, "true"],
    [{ type: "uuid" }, "not-one"],
    [{ type: "date" }, "2023-02-29"],
    [{ type: "date" }, "0000-01-01"],
    [{ type: "date" }, "2026-1-1"],
    [{ type: "timestamp" }, "2026-01-31T09:30:00"],
    [{ type: "timestamp" }, "2026-02-30T09:30:00Z"],
    [{ type: "timestamp" }, "2026-01-31T24:00:00Z"],
    [{ type: "timestamp" }, "0001-01-01T00:00:00+23:00"],
    [{ type: "timestamp" }, "9999-12-31T23:59:59-01:00"],
    [{ type: "json" }, { a: "\ud800" }],
    [{ type: "json" }, JSON.parse('{"a": {"__proto__": 1}}')],
    [{ type: "json" }, deep],
    [{ type: "json" }, Number.NaN],
    [{ type: "enum", values: ["a"] }, "c"],
    [{ type: "enum", values: ["a"] }, "toString"],
    [{ type: "reference" }, "1"],
  ] satisfies [Partial<Field>, unknown][])("%j refuses %j", (field, value) => {
    expect(read(field, value)).toEqual(REFUSED);
  });
});

interface Thing {
  readonly name: string;
  readonly size: number | null;
  readonly notes: unknown;
  readonly on: boolean;
}

const THING: Fields<Thing> = {
  name: { type: "string", required: true },
  size: { type: "integer", required: false, default: 7 },
  notes: { type: "json", required: false },
  on: { type: "boolean", required: true, default: true },
};

describe("checkNew", () => {
  test("fills in defaults for what is missing, and nothing for what is null", () => {
    expect(checkNew(THING, { name: "a" }).values).toEqual({ name: "a", size: 7, notes: null, on: true });
    expect(checkNew(THING, { name: "a", size: null }).values?.size).toBeNull();
  });

  test("reports everything that does not fit at once", () => {
    const { violations } = checkNew(THING, { size: "x", on: null, other: 1, constructor: 2 });
    expect(violations?.map(({ path }) => path)).toEqual(["other", "constructor", "name", "size", "on"]);
  });

  test.each([undefined, null, [], "text", 5])("refuses %j as a whole", (input) => {
    expect(checkNew(THING, input).violations).toEqual([{ path: "", message: "expected an object" }]);
  });

  test("takes no value from a prototype", () => {
    expect(checkNew(THING, Object.create({ name: "inherited" })).violations?.[0]?.path).toBe("name");
  });
});

describe("checkPatch", () => {
  const current: Thing = { name: "a", size: 1, notes: { kept: 1, gone: 2, deep: { x: 1 } }, on: false };

  test("keeps what is missing, clears what is null, replaces the rest", () => {
    expect(checkPatch(THING, current, { size: null, on: true }).values).toEqual({ ...current, size: null, on: true });
  });

  test("merges JSON as a merge patch does", () => {
    const { values } = checkPatch(THING, current, { notes: { gone: null, deep: { y: 2 }, list: [1] } });
    expect(values?.notes).toEqual({ kept: 1, deep: { x: 1, y: 2 }, list: [1] });
    expect(checkPatch(THING, current, { notes: [1] }).values?.notes).toEqual([1]);
    expect(checkPatch(THING, current, { notes: null }).values?.notes).toBeNull();
  });

  test("refuses to unset what is required", () => {
    expect(checkPatch(THING, current, { name: null }).violations).toEqual([
      { path: "name", message: "expected a value" },
    ]);
  });
});
