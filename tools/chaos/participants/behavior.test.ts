import { expect, it } from "vitest";
import type { Direction } from "../history.js";
import { type Behavior, behaviorOf } from "./behavior.js";

const options = { seed: 1, timeoutMs: 1_000 };
const of = (key: string, n = 1, direction: Direction = "forward", calm = false) =>
  behaviorOf(options, { key, n, direction }, calm);
const keys = Array.from({ length: 3_000 }, (_, index) => `run-${index}:step`);

it("is the same for the same seed, key and number, and another for others", () => {
  expect(keys.map((key) => of(key))).toEqual(keys.map((key) => of(key)));
  expect(keys.map((key) => of(key))).not.toEqual(keys.map((key) => of(key, 2)));
});

it("goes wrong in every way there is, seldom", () => {
  const drawnKinds = keys.flatMap((key) => [of(key), of(key, 1, "compensate")]);
  const share = (kind: Behavior["kind"]) =>
    drawnKinds.filter((behavior) => behavior.kind === kind).length / drawnKinds.length;
  for (const kind of ["fails", "refuses", "hangs", "breaks", "garbles"] as const)
    expect(share(kind), kind).toBeGreaterThan(0.001);
  expect(share("answers")).toBeGreaterThan(0.8);
});

it("never has an effect under a key that it refuses, and refuses in the end", () => {
  const refused = keys.filter((key) => of(key, 1, "forward", true).kind === "refuses");
  expect(refused.length).toBeGreaterThan(50);
  for (const key of refused) {
    for (let n = 1; n < 10; n++) {
      const behavior = of(key, n);
      expect(behavior.kind).not.toBe("answers");
      if ("effect" in behavior) expect(behavior.effect).toBe(false);
      if (behavior.kind === "hangs") expect(behavior.effectAfterMs).toBeNull();
    }
  }
});

it("refuses a compensation once at most, and none in calm", () => {
  const refused = keys.filter((key) => of(key, 1, "compensate").kind === "refuses");
  expect(refused.length).toBeGreaterThan(10);
  expect(refused.filter((key) => of(key, 2, "compensate").kind === "refuses")).toEqual([]);
  expect(keys.filter((key) => of(key, 1, "compensate", true).kind !== "answers")).toEqual([]);
});
