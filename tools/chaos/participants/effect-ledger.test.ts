import { expect, it } from "vitest";
import type { Direction } from "../history.js";
import { EffectLedger } from "./effect-ledger.js";

let calls = 0;
const output = (n: number) => ({ reference: `charge-${n}`, context: {} });
const call = (direction: Direction = "forward", fence = 1) => {
  calls += 1;
  const key = direction === "forward" ? "run:charge" : "run:charge:compensate";
  const of = direction === "forward" ? {} : { forwardKey: "run:charge" };
  return { run: "run", step: "charge", direction, key, ...of, fence, call: calls };
};

it("has one effect per key, and answers the same ever after", () => {
  const ledger = new EffectLedger();
  const [first, second] = [call(), call()];
  expect(ledger.arrive(first)).toEqual({ kind: "go" });
  expect(ledger.arrive(second)).toEqual({ kind: "in-progress" });
  expect(ledger.apply(first, output(1))).toBe(true);
  expect(ledger.apply(second, output(2))).toBe(false);
  expect(ledger.arrive(call())).toEqual({ kind: "replayed", output: output(1) });
});

it("lets the next call try when one came to nothing", () => {
  const ledger = new EffectLedger();
  const first = call();
  ledger.arrive(first);
  ledger.drop(first);
  const second = call();
  expect(ledger.arrive(second)).toEqual({ kind: "go" });
  expect(ledger.apply(first, output(1))).toBe(false);
  expect(ledger.apply(second, output(2))).toBe(true);
});

it("turns away what comes after its compensation, also when it was at work before", () => {
  const ledger = new EffectLedger();
  const [step, undo] = [call(), call("compensate")];
  ledger.arrive(step);
  expect(ledger.arrive(undo)).toEqual({ kind: "go" });
  expect(ledger.apply(undo, null)).toBe(true);
  expect(ledger.apply(step, output(1))).toBe(false);
  expect(ledger.arrive(call())).toEqual({ kind: "compensated" });
  expect(ledger.arrive(call("compensate"))).toEqual({ kind: "replayed", output: null });
});

it("turns away what had its effect and was compensated since", () => {
  const ledger = new EffectLedger();
  const [step, undo] = [call(), call("compensate")];
  ledger.arrive(step);
  ledger.apply(step, output(1));
  ledger.arrive(undo);
  ledger.apply(undo, null);
  expect(ledger.arrive(call())).toEqual({ kind: "compensated" });
  expect(ledger.arrive({ ...call(), key: "run:charge:r2" })).toEqual({ kind: "go" });
});

it("turns away an older fence of the run, whatever it wants", () => {
  const ledger = new EffectLedger();
  ledger.arrive(call("forward", 2));
  expect(ledger.arrive(call("compensate", 1))).toEqual({ kind: "stale-fence" });
});

it("has a fence for each item of a run", () => {
  const ledger = new EffectLedger();
  const item = (key: string, fence: number) => {
    const step = `items[${key}]/settle`;
    return { ...call("forward", fence), step, key: `run:${step}` };
  };
  expect(ledger.arrive(item("a", 3))).toEqual({ kind: "go" });
  expect(ledger.arrive(item("b", 1))).toEqual({ kind: "go" });
  expect(ledger.arrive(item("a", 2))).toEqual({ kind: "stale-fence" });
});
