import { expect, it } from "vitest";
import { defineSaga } from "../saga/define.js";
import { decide } from "./decide.js";
import { foldRecord } from "./fold.js";
import { planOf } from "./plan.js";
import { newState } from "./state.js";

const retry = {
  maxAttempts: 3,
  backoff: "fixed",
  initialDelayMs: 10,
  maxDelayMs: 10,
  jitter: "none",
  nonRetryable: [],
} as const;

it("does not ask to be asked again at once, when the run's time is up and an attempt has to end first", () => {
  const steps = ["a", "b"].map((name) => ({
    ...{ name, kind: "action" as const, action: { run: () => 1 }, timeoutMs: null, retry: {}, compensation: null },
  }));
  const draft = { name: "s", waves: steps.map((step) => ({ steps: [step] })), pivotAfterWave: 0, timeoutMs: 1_000 };
  const plan = planOf(defineSaga(draft), {
    ...{
      strategy: "compensate",
      retry,
      maxCrashes: 3,
      runTimeoutMs: 1_000,
      stepTimeoutMs: 30_000,
      service: () => ({}),
    },
  });
  const state = newState(plan, 0);
  decide(plan, state, 0);
  foldRecord(plan, state, { kind: "completed", step: "a", attempt: 1, output: null }, 10);
  expect(decide(plan, state, 10)).toMatchObject({ records: [{ kind: "dispatched", step: "b" }], wakeAt: 1_000 });
  expect(decide(plan, state, 1_500)).toEqual({
    records: [],
    abort: [],
    evaluate: [],
    wakeAt: null,
    awaitsMessage: false,
  });
});
