import { describe, expect, it } from "vitest";
import { dataToDelta, isEmptyDelta, needsPresentData, patchToDelta } from "./session-delta.js";

describe("a merge patch as a delta", () => {
  it("sets values and removes nulls without a look at the present data", () => {
    const patch = { a: 1, b: [1, null], c: null, d: "x", e: false };
    expect(needsPresentData(patch)).toBe(false);
    expect(patchToDelta(patch)).toEqual({ set: { a: 1, b: [1, null], d: "x", e: false }, unset: ["c"] });
  });

  it("needs the present data to merge an object", () => {
    expect(needsPresentData({ a: 1, b: {} })).toBe(true);
    const present = { b: { c: 1, d: { e: 2, f: 3 } }, z: 1 };
    expect(patchToDelta({ b: { d: { e: null, g: 4 } } }, present)).toEqual({
      set: { b: { c: 1, d: { f: 3, g: 4 } } },
      unset: [],
    });
  });

  it("leaves out what would not change", () => {
    const present = { a: 1, b: { c: 1, d: 2 }, n: null };
    expect(patchToDelta({ a: 1, b: { d: 2, c: 1 }, absent: null }, present)).toEqual({ set: {}, unset: [] });
    expect(isEmptyDelta(patchToDelta({}, present))).toBe(true);
    expect(patchToDelta({ n: null }, present)).toEqual({ set: {}, unset: ["n"] });
  });

  // RFC 7396, appendix A: those whose target and patch are objects.
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("turns %j by %j into %j", (target, patch, result) => {
    const { set, unset } = patchToDelta(patch, target);
    const kept = Object.entries(target).filter(([key]) => !unset.includes(key));
    expect({ ...Object.fromEntries(kept), ...set }).toEqual(result);
  });

  it("takes an inherited property for no field", () => {
    expect(patchToDelta({ toString: { a: 1 }, valueOf: null }, {})).toEqual({ set: { toString: { a: 1 } }, unset: [] });
  });
});

describe("data as a delta of what is there", () => {
  it("sets what is new or changed, null included, and removes what is not in it", () => {
    const present = { same: { a: 1, b: 2 }, changed: [1], gone: 1, wasNull: null };
    const data = { same: { b: 2, a: 1 }, changed: [2], fresh: null, wasNull: null };
    expect(dataToDelta(data, present)).toEqual({ set: { changed: [2], fresh: null }, unset: ["gone"] });
  });

  it("is empty when nothing changed", () => {
    expect(isEmptyDelta(dataToDelta({ a: { b: [1] } }, { a: { b: [1] } }))).toBe(true);
    expect(isEmptyDelta(dataToDelta({}, { a: null }))).toBe(false);
  });
});
