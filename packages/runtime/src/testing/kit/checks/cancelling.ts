import { RuntimeError } from "../../../errors.js";
import type { SagaCheck } from "./saga-check.js";
import type { ShapedStep } from "./saga-shape.js";
import { expectEnd, type SagaUnderTest } from "./saga-under-test.js";
import type { TestedRun } from "./tested-run.js";

/** The run is cancelled while each of its steps is under way. */
export function cancellingChecks(saga: SagaUnderTest): SagaCheck[] {
  return saga.shape.steps.map((step) => cancelled(saga, step));
}

function cancelled(saga: SagaUnderTest, step: ShapedStep): SagaCheck {
  const what = step.isPastPivot ? "it is past the pivot, and goes on" : "what was done is undone";
  const name = `cancelled while "${step.name}" is under way: ${what}`;
  return {
    name,
    run: async () => {
      let release = (): void => {};
      const until = new Promise<void>((resolve) => {
        release = resolve;
      });
      let said: "accepted" | "forbidden" | "never" = "never";
      await saga.play({
        check: name,
        // Until somebody has cancelled the run there is no signal, and no step comes to its end.
        plant: ({ faults }) => {
          if (step.definition.kind !== "wait")
            faults.add({ stage: step.name, direction: "forward", times: 1, fault: { kind: "held", until } });
        },
        isMuted: (waits) => waits === step.name && said !== "forbidden",
        during: async (run) => {
          await run.until(() => hasBegun(run, step.name), `step "${step.name}" to begin`);
          if (run.isSettled) return;
          said = await cancel(run);
          release();
        },
        judge: (outcome, run) => {
          if (said !== "accepted") return expectEnd(run, outcome, "completed");
          if (!isHeld(run, step.name)) return expectEnd(run, outcome, "cancelled", "completed");
          expectEnd(run, outcome, step.isPastPivot ? "completed" : "cancelled");
        },
      });
    },
  };
}

/** Resolves when the run has taken it in, or refused it. */
async function cancel(run: TestedRun): Promise<"accepted" | "forbidden"> {
  const request = { reason: "the check cancels it", actor: "test" };
  try {
    await run.world.ask((manager) => manager.act(run.id, "cancel", request));
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "verb-forbidden") return "forbidden";
    throw error;
  }
  const heard = (): boolean =>
    run.journal.some(({ records }) =>
      records.some(({ kind }) => kind === "cancel-requested" || kind === "verb-refused"),
    );
  await run.until(heard, "the run to hear that it is cancelled");
  const refused = run.journal.some(({ records }) => records.some(({ kind }) => kind === "verb-refused"));
  return refused ? "forbidden" : "accepted";
}

function hasBegun(run: TestedRun, step: string): boolean {
  if (run.world.log.of(step, "forward").some((call) => call.run === run.id)) return true;
  return run.journal.some(({ records }) =>
    records.some((record) => record.kind === "suspended" && record.step === step && record.direction !== "compensate"),
  );
}

/** What came to its end by itself may have done so before it was cancelled. */
function isHeld({ world }: TestedRun, step: string): boolean {
  return (
    world.faults.struck.some(({ stage }) => stage === step || stage.endsWith(`/${step}`)) ||
    world.log.of(step).length === 0
  );
}
