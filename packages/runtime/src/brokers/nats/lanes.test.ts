import { describe, expect, it } from "vitest";
import { Lanes } from "./lanes.js";

/** Lanes whose items run until they are told to end. */
function lanesOf(concurrency: number) {
  const running = new Map<string, () => void>();
  const lanes = new Lanes<string>(
    concurrency,
    (item) =>
      new Promise((resolve) => {
        running.set(item, () => {
          running.delete(item);
          resolve();
        });
      }),
  );
  const end = async (item: string): Promise<void> => {
    running.get(item)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lanes, running: () => [...running.keys()], end };
}

describe("lanes", () => {
  it("run items of one key in turn and of several at once, up to the bound", async () => {
    const { lanes, running, end } = lanesOf(2);
    for (const item of ["a1", "a2", "b1", "c1"]) lanes.add(item.charAt(0), item);
    expect([running(), lanes.hasRoom]).toEqual([["a1", "b1"], false]);
    await end("b1");
    expect(running()).toEqual(["a1", "c1"]);
    await end("a1");
    await end("c1");
    expect([running(), lanes.hasRoom]).toEqual([["a2"], true]);
  });

  it("drop what has not begun, and are idle when nothing runs", async () => {
    const { lanes, running, end } = lanesOf(1);
    for (const item of ["a1", "a2", "a3", "b1"]) lanes.add(item.charAt(0), item);
    lanes.drop((item) => item === "a2" || item === "b1");
    const idle = lanes.whenIdle();
    await end("a1");
    expect(running()).toEqual(["a3"]);
    await end("a3");
    await idle;
    await lanes.whenIdle();
    expect(running()).toEqual([]);
  });
});
