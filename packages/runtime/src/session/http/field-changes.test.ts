import { describe, expect, it } from "vitest";
import type { Json } from "../../json.js";
import { FieldChanges } from "./field-changes.js";

describe("the fields that a request changes", () => {
  const of = (stored: Record<string, Json>): FieldChanges => new FieldChanges(stored);

  it("are none when it only reads", () => {
    const fields = of({ text: "a", list: [1], none: null });
    expect([fields.get("text"), fields.get("list"), fields.get("none"), fields.get("missing")]).toEqual([
      "a",
      [1],
      null,
      undefined,
    ]);
    expect([fields.has("none"), fields.has("missing")]).toEqual([true, false]);
    expect(fields.take()).toBeNull();
  });

  it("surely are none when it reads no object, so nothing is compared", () => {
    const fields = of({ text: "a", list: [1] });
    fields.get("text");
    fields.has("list");
    expect(fields.mayHaveChanged).toBe(false);
    fields.get("list");
    expect(fields.mayHaveChanged).toBe(true);
  });

  it("are those alone that it set or removed", () => {
    const fields = of({ a: 1, b: 2, c: 3 });
    fields.set("a", 10);
    fields.delete("b");
    fields.delete("missing");
    fields.set("d", [4]);
    expect([fields.get("a"), fields.get("b"), fields.has("b"), fields.get("d")]).toEqual([10, undefined, false, [4]]);
    expect(fields.take()).toEqual({ set: { a: 10, d: [4] }, unset: ["b"] });
    expect(fields.take()).toBeNull();
  });

  it("are not those set to the text, number or null that is there", () => {
    const fields = of({ a: 1, b: "x", c: null });
    fields.set("a", 1);
    fields.set("b", "x");
    fields.set("c", null);
    expect(fields.take()).toBeNull();
    fields.set("a", 2);
    fields.set("a", 1);
    expect(fields.take()).toEqual({ set: { a: 1 } });
  });

  it("are also objects that were changed in place, after get and after set, and again after they were written", () => {
    const fields = of({ cart: { items: [1] }, other: { n: 1 } });
    const cart = fields.get("cart") as { items: number[] };
    fields.get("other");
    cart.items.push(2);
    expect(fields.take()).toEqual({ set: { cart: { items: [1, 2] } } });
    expect(fields.get("cart")).toBe(cart);
    cart.items.push(3);
    expect(fields.take()).toEqual({ set: { cart: { items: [1, 2, 3] } } });
    const made = { n: 0 };
    fields.set("made", made);
    made.n = 1;
    expect(fields.take()).toEqual({ set: { made: { n: 1 } } });
    made.n = 2;
    expect(fields.take()).toEqual({ set: { made: { n: 2 } } });
    expect(fields.take()).toBeNull();
  });

  it("are written as they were when they were taken", () => {
    const fields = of({});
    const list = [1];
    fields.set("list", list);
    const delta = fields.take();
    list.push(2);
    expect(delta).toEqual({ set: { list: [1] } });
  });

  it("stay pending when they could not be written, under what was changed since", () => {
    const fields = of({ a: 1, b: 2, list: [1] });
    const list = fields.get("list") as number[];
    fields.set("a", 10);
    fields.delete("b");
    list.push(2);
    const delta = fields.take();
    fields.set("a", 11);
    list.push(3);
    fields.putBack(delta ?? {});
    expect(fields.get("a")).toBe(11);
    expect(fields.has("b")).toBe(false);
    expect(fields.take()).toEqual({ set: { a: 11, list: [1, 2, 3] }, unset: ["b"] });
  });

  it("treat undefined, and what has no JSON, as removed", () => {
    const fields = of({ a: 1, b: 2 });
    fields.set("a", undefined);
    fields.set("b", () => 1);
    expect(fields.take()).toEqual({ unset: ["a", "b"] });
  });

  it("are refused when they are no JSON, and none is lost by it", () => {
    const fields = of({});
    const circle: { self?: object } = {};
    circle.self = circle;
    fields.set("ok", 1);
    fields.set("circle", circle);
    expect(() => fields.take()).toThrow(expect.objectContaining({ code: "input-invalid" }));
    fields.delete("circle");
    expect(fields.take()).toEqual({ set: { ok: 1 }, unset: ["circle"] });
  });

  it("are not those of every object", () => {
    const fields = of({});
    expect([fields.get("constructor"), fields.has("toString"), fields.get("__proto__")]).toEqual([
      undefined,
      false,
      undefined,
    ]);
  });
});
