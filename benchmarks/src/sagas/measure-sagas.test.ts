import { describe, expect, it } from "vitest";
import { measureSagas } from "./measure-sagas.js";
import { actsOf, type SagaScenario } from "./scenarios.js";
import { perform, undo } from "./work.js";

const scenario: SagaScenario = {
  ...{ kind: "saga", name: "five-1", title: "", steps: 5, fails: false, inFlight: 3, startFor: 0 },
};
const performSteps = (steps: number): void => {
  for (let step = 1; step <= steps; step += 1) perform(step);
};

describe("measuring sagas", () => {
  it("refuses a contender that performs fewer steps than the runs that it says have ended", async () => {
    const lazy = measureSagas(scenario, async () => performSteps(4));
    await expect(lazy).rejects.toThrow("expected 15 steps of 3 runs to be performed, got 12");
  });

  it("fails with the run that ends otherwise than it should", async () => {
    await expect(measureSagas(scenario, () => Promise.reject(new Error("compensated")))).rejects.toThrow("compensated");
  });

  it("keeps as many runs in flight as the scenario says, and counts them all", async () => {
    let inFlight = 0;
    let most = 0;
    const measured = await measureSagas(scenario, async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await Promise.resolve();
      performSteps(5);
      inFlight -= 1;
    });
    expect({ most, runs: measured.runs, steps: measured.steps }).toEqual({ most: 3, runs: 3, steps: 15 });
    expect(measured.latenciesMs).toHaveLength(3);
  });

  it("says when steps were performed again", async () => {
    const { notes } = await measureSagas({ ...scenario, inFlight: 1 }, async () => performSteps(6));
    expect(notes).toEqual(["performed 1 of 5 steps again"]);
  });

  it("counts refusal and compensations as acts of a run that fails", async () => {
    const fails = { ...scenario, fails: true, inFlight: 1 };
    const measured = await measureSagas(fails, async () => {
      performSteps(5);
      for (let step = 4; step >= 1; step -= 1) undo(step);
    });
    expect([measured.steps, actsOf(fails)]).toEqual([9, 9]);
  });

  it("compares the last hundred steps of a run of 1,000 with the first, each by 99 intervals", async () => {
    const long = { ...scenario, steps: 1_000, inFlight: 1 };
    const { growths } = await measureSagas(long, async () => performSteps(1_000));
    expect(growths).toHaveLength(1);
    expect(growths[0]).toBeGreaterThan(0);
  });
});
