import { describe, expect, it } from "vitest";
import { DoneOnce } from "./done-once.js";

describe("items", () => {
  it("are done when each was, in any order", () => {
    const items = new DoneOnce(3);
    for (const n of [2, 0, 1]) items.item(n);
    items.check();
    expect(items.done).toBe(3);
  });

  it("that are lacking are found out", () => {
    const items = new DoneOnce(2);
    items.item(1);
    expect(() => items.check()).toThrow("expected 2 items to be done, got 1");
  });

  it("are not done twice", () => {
    const items = new DoneOnce(2);
    items.item(1);
    expect(() => items.item(1)).toThrow("expected each item once, got item 1 again");
  });

  it("that nobody gave do not exist", () => {
    expect(() => new DoneOnce(2).item(2)).toThrow("expected one of 2 items, got item 2");
  });
});
