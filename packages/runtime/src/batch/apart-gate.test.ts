import { describe, expect, it } from "vitest";
import { ApartGate } from "./apart-gate.js";

describe("the gate before chunks", () => {
  it("lets chunks in together, up to its bound, and those that the store gave beyond it", () => {
    const gate = new ApartGate(2, () => {});
    expect(gate.room).toBe(2);
    for (const room of [1, 0, 0]) {
      expect(gate.enter(false)).toBeNull();
      expect(gate.room).toBe(room);
    }
  });

  it("has one that is to be alone wait until all others are over, and lets none in meanwhile", async () => {
    let opened = 0;
    const gate = new ApartGate(10, () => {
      opened += 1;
    });
    void gate.enter(false);
    const order: string[] = [];
    const apart = gate.enter(true)?.then(() => order.push("apart"));
    const others = [1, 2].map(() => gate.enter(false)?.then(() => order.push("other")));
    expect(gate.room).toBe(0);
    gate.leave();
    await apart;
    expect(order).toEqual(["apart"]);
    gate.leave();
    await Promise.all(others);
    expect(order).toEqual(["apart", "other", "other"]);
    gate.leave();
    gate.leave();
    expect(opened).toBe(1);
    expect(gate.room).toBe(10);
  });
});
