import { afterEach, expect, it, vi } from "vitest";
import { growth, noteSteps, perform } from "./work.js";

afterEach(() => vi.restoreAllMocks());

/** Performs the steps by a clock of which step n takes `msOf(n)`. */
function performBy(steps: number, msOf: (step: number) => number): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  noteSteps(steps);
  for (let step = 1; step <= steps; step += 1) {
    perform(step);
    now += msOf(step);
  }
}

it("compares the last hundred steps of 1,000 with the first hundred", () => {
  performBy(1_000, (step) => (step > 900 ? 3 : step > 100 ? 50 : 2));
  expect(growth()).toBe(1.5);
});

it("says nothing of a shorter run, nor twice of one", () => {
  performBy(999, () => 1);
  expect(growth()).toBeNull();
  performBy(1_000, () => 1);
  expect([growth(), growth()]).toEqual([1, null]);
});
