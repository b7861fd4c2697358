import { expect, test } from "vitest";
import { isBacktrackingBounded } from "./backtracking.js";

test.each([
  "^[a-z]+$",
  "^[a-z0-9]+(?:-[a-z0-9]+)*$",
  "^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{2,}$",
  "^(\\d{1,3}\\.){3}\\d{1,3}$",
  "^\\+?[1-9]\\d{1,14}$",
  "^(?=.*[A-Z])(?=.*\\d).{8,64}$",
  "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
  "^\\p{L}[\\p{L}\\p{M}' -]{0,99}$",
  "^(?<year>\\d{4})-(?<month>\\d\\d)$",
  "^(a|b)+\\d{2,}x?$",
  "^[\"'`\\\\/]*\\$\\{",
  "^(?<=a)b$",
  "^\\u{1F600}\\x41\\cA\\0[\\]\\-]*$",
  "^(?:#|//).*$",
  "^([A-Z]{2}\\d{2})+$",
  "^(foo|bar|baz)(,(foo|bar|baz))*$",
  "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
  "",
  "^\\s*.*\\s*$",
  "^[a-z]{1,500}$",
])("%s is fine", (pattern) => {
  expect(() => new RegExp(pattern, "u")).not.toThrow();
  expect(isBacktrackingBounded(pattern)).toBe(true);
});

test.each([
  "(a+)+$",
  "^(a*)*$",
  "^(a|a)*$",
  "^(\\w|\\d)+$",
  "^(a|aa)+$",
  "^(a?a?)*$",
  "^([a-z]+)*x$",
  "^(\\s*\\w+\\s*)+$",
  "^(.*,)*$",
  "^(?=(x+x+)+y)a$",
  "^(a{1,30}){1,30}$",
  "^(a{0,8}){0,8}b$",
  "^(\\p{L}+|\\w+)*$",
  "^(ab|(?:ab)+c?)*$",
  "^(a)\\1*$",
  "^(?<x>a)\\k<x>$",
  "^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
])("%s is refused", (pattern) => {
  expect(() => new RegExp(pattern, "u")).not.toThrow();
  expect(isBacktrackingBounded(pattern)).toBe(false);
});

test("the judgement itself takes little time, whatever the pattern", () => {
  const before = performance.now();
  for (const pattern of [
    "(a|b|c|d|e|f)?".repeat(35),
    "(.*)".repeat(125),
    "[a-z]{499}".repeat(50),
    "((((((((((a*)*)*)*)*)*)*)*)*)*)*",
  ])
    isBacktrackingBounded(pattern);
  expect(performance.now() - before).toBeLessThan(2000);
});
