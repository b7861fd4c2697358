import { describe, expect, test } from "vitest";
import { compareDecimals, decimalText } from "../../src/domain/decimal.js";

describe("decimalText", () => {
  test.each([
    ["19.90", "19.90"],
    ["+5", "5"],
    ["007.10", "7.10"],
    ["-0.00", "0.00"],
    ["-0.01", "-0.01"],
    ["123456789012345678901234567890.5", "123456789012345678901234567890.5"],
    [0.1, "0.1"],
    [-12.5, "-12.5"],
    [-0, "0"],
    [1e21, "1000000000000000000000"],
    [1.5e-7, "0.00000015"],
    [123.456e3, "123456"],
    [9_007_199_254_740_993n, "9007199254740993"],
  ])("takes %s as %s", (value, text) => {
    expect(decimalText(value)).toBe(text);
  });

  test.each([
    "",
    " 1",
    "1.",
    ".5",
    "1e3",
    "0x10",
    "1,5",
    "--1",
    "NaN",
    "١",
    "9".repeat(101),
    "9".repeat(100_000),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    5e-324,
    1e300,
    true,
    null,
    [],
    {},
  ])("refuses %j", (value) => {
    expect(decimalText(value)).toBeNull();
  });

  test("refuses a number whose digits a double cannot vouch for, and takes the same as text", () => {
    expect(decimalText(0.1 + 0.2)).toBeNull();
    expect(decimalText(2 ** 70)).toBeNull();
    expect(decimalText("0.30000000000000004")).toBe("0.30000000000000004");
  });
});

test.each([
  ["1.0", "1.00", 0],
  ["0.1", "0.10000000000000000001", -1],
  ["-1", "0", -1],
  ["-1.5", "-1.25", -1],
  ["100", "99.999", 1],
  ["99999999999999999999.9", "100000000000000000000", -1],
])("compares %s with %s exactly", (left, right, expected) => {
  expect(compareDecimals(left, right)).toBe(expected);
  expect(compareDecimals(right, left)).toBe(0 - expected);
});
