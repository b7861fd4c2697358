import { expect, it } from "vitest";
import { Handlings } from "./handlings.js";

it("says when the handler of an event began, once the event is done with", async () => {
  const handlings = new Handlings();
  const before = performance.now();
  let isOver = false;
  const waiting = handlings.of("a").finally(() => {
    isOver = true;
  });
  handlings.begins("a");
  const after = performance.now();
  await Promise.resolve();
  expect(isOver).toBe(false);
  handlings.ended("a");
  const at = await waiting;
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(after);
});

it("refuses an event that was done with and never handled", async () => {
  const handlings = new Handlings();
  handlings.ended("a");
  await expect(handlings.of("a")).rejects.toThrow("expected the handler of event a to be called");
});
