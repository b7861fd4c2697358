import { expect, test } from "vitest";
import { sampleOf } from "./pattern-sample.js";

test.each([
  "^[A-Z]{2}-[0-9]{4}$",
  "^\\d{3,5}$",
  "^(\\+|00)[1-9]\\d{6,14}$",
  "^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$",
  "^(?:cat|dog)s?$",
  "^#[0-9a-fA-F]{6}$",
  "^[\\w.-]+$",
  "^[Α-Ω]{3}$",
  "^\\(\\d\\)\\[x\\]\\{y\\}$",
  "^a*b+?c{2}$",
  "^.{8,}$",
  "",
])("finds a text that %s matches", (pattern) => {
  expect(sampleOf(pattern)).toMatch(new RegExp(pattern, "u"));
});

test("makes it long enough for what else is asked", () => {
  expect(sampleOf("^[a-z]+$", (text) => text.length >= 10)?.length).toBeGreaterThanOrEqual(10);
});

test.each(["^(?<=a)b$", "^(a)\\1$", "\\p{Lu}", "^(?!a)[ab]$", "^[a-z]+$(?<!a)", "^x(?=y)"])(
  "gives null for %s rather than a text that does not match",
  (pattern) => {
    const sample = sampleOf(pattern);
    expect(sample === null || new RegExp(pattern, "u").test(sample)).toBe(true);
  },
);
