import { expect, it } from "vitest";
import { quantile, spread } from "./statistics.js";

it("gives the middle, the least and the most, in whatever order they come", () => {
  expect(spread([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
  expect(spread([4, 2])).toEqual({ median: 3, min: 2, max: 4 });
});

it("refuses to make a figure of nothing", () => {
  expect(() => spread([])).toThrow("expected at least one value");
});

it("interpolates between neighbors", () => {
  const hundred = Array.from({ length: 101 }, (_, n) => n);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile([10, 20], 0.25)).toBe(12.5);
});
