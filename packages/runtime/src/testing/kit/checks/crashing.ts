import { resolveConfig } from "../../../config.js";
import type { TestWorld } from "../test-world.js";
import type { SagaCheck } from "./saga-check.js";
import type { SagaOutcome } from "./saga-check-options.js";
import { undoesFailures } from "./saga-shape.js";
import { expectEnd, type SagaUnderTest } from "./saga-under-test.js";
import type { TestedRun } from "./tested-run.js";

/** Crashes that one check tries; of more rows than that it takes some, evenly spread. */
const MAX_CRASHES = 200;

/** The process dies before and after each write of a run that goes well, and of one that is undone from its end. */
export function crashingChecks(saga: SagaUnderTest): SagaCheck[] {
  const forward = crashes(saga, "a crash before and after each row of the journal changes nothing", async () => ({
    plant: () => {},
    end: "completed" as const,
  }));
  if (!undoesFailures(saga.options.config) || saga.shape.undone.length === 0) return [forward];
  const back = crashes(saga, "a crash before and after each row changes nothing while the run is undone", async () => {
    const performed = await saga.performed();
    const last = saga.shape.acts.findLast(({ name, isPastPivot }) => !isPastPivot && performed.has(name));
    if (last === undefined) return { plant: () => {}, end: "completed" as const };
    const plant = ({ faults }: TestWorld): void =>
      faults.add({
        ...{ stage: last.name, direction: "forward" },
        // Whatever it did is undone as well.
        fault: { kind: "refused", status: 422, message: "injected: no" },
      });
    return { plant, end: "compensated" as const };
  });
  return [forward, back];
}

interface CrashedRun {
  readonly plant: (world: TestWorld) => void;
  readonly end: SagaOutcome["status"];
}

function crashes(saga: SagaUnderTest, name: string, prepare: () => Promise<CrashedRun>): SagaCheck {
  return {
    name,
    run: async () => {
      const { plant, end } = await prepare();
      const { recovery } = resolveConfig(saga.options.config);
      // Without recovery a step that was interrupted is not done again.
      const ends = recovery.enabled ? [end] : [end, "failed" as const];
      const judge = (outcome: SagaOutcome, run: TestedRun): void => expectEnd(run, outcome, ...ends);
      let writes = 0;
      const onWrite = (when: "before" | "after"): void => {
        if (when === "before") writes += 1;
      };
      await saga.play({ check: name, plant, judge, onWrite });
      const steps = Math.max(1, Math.ceil((2 * writes) / MAX_CRASHES));
      for (let at = 0; at < 2 * writes; at += steps) {
        const [row, when] = [Math.floor(at / 2) + 1, at % 2 === 0 ? "before" : "after"] as const;
        let [seen, done] = [0, false];
        await saga.play({
          ...{ check: `${name}; here ${when} write ${row}`, plant, judge },
          onWrite: (now, process) => {
            if (now === "before") seen += 1;
            if (done || now !== when || seen !== row) return;
            done = true;
            process.crash();
          },
        });
      }
    },
  };
}
