import { restoreContext } from "../engine/context.js";
import { fold } from "../engine/fold.js";
import { goodCheckpoint } from "../engine/good-checkpoint.js";
import type { RunPlan } from "../engine/plan.js";
import type { InheritedStep, JournalRecord, JournalRow } from "../engine/records.js";
import { needsUndo, type StepState } from "../engine/state.js";
import type { RunRow, RunStore } from "../store/run-store.js";
import { undoRunId } from "./child-run-id.js";

const PAGE = 1_000;

/**
 * What a run that undoes another one begins with: what that one did, as its journal says. Null once it has begun. The other
 * run has ended, so whoever reads this later reads the same.
 */
export async function inheritance(
  store: RunStore,
  plan: RunPlan,
  run: UndoRun,
  rows: readonly JournalRow[],
): Promise<JournalRecord | null> {
  if (rows.some(hasBegun)) return null;
  const origin = await store.get(run.restartedFrom);
  if (origin === undefined) {
    const message = `expected run ${run.restartedFrom}, which this run undoes, to be kept until then; it is gone`;
    return { kind: "finished", status: "failed", error: { code: "child-missing", message } };
  }
  const journal: JournalRow[] = [];
  for (;;) {
    const page = await store.journal(origin.id, journal.length, PAGE);
    journal.push(...page);
    if (page.length < PAGE) break;
  }
  const state = fold(plan, origin.createdAt, journal);
  const snapshot = goodCheckpoint(journal, await store.checkpoints(origin.id));
  return {
    ...{
      kind: "inherited",
      run: state.correlation ?? origin.id,
      fence: origin.fence,
      context: restoreContext(journal, snapshot),
    },
    error: { code: "undone", message: `undone at the wish of run ${run.parentId ?? run.rootId}, which started it` },
    ...(state.correlation !== null && { outputs: state.outputs }),
    steps: [...state.steps.values()].filter(isLeft).map(inherited),
  };
}

export type UndoRun = RunRow & { readonly restartedFrom: string };

export function undoesAnother(run: RunRow): run is UndoRun {
  return run.restartedFrom !== null && run.id === undoRunId(run.restartedFrom);
}

function hasBegun({ records }: JournalRow): boolean {
  return records.some(({ kind }) => kind === "inherited" || kind === "finished");
}

/** Of a step that mapped over a list: when one of its items is left. */
function isLeft(step: StepState): boolean {
  if (step.items?.steps.some((item) => item !== undefined && isLeft(item))) return true;
  return needsUndo(step) && step.undo.status !== "done" && step.undo.status !== "skipped";
}

function inherited(step: StepState): InheritedStep {
  const { name, round, forward, output, evaluated, child, leftovers, items } = step;
  const done = forward.status === "done";
  return {
    ...{ step: name, outcome: done ? "completed" : forward.mayHaveRun ? "unknown" : "nothing" },
    ...(round > 1 && { round }),
    ...(done && { output }),
    ...(evaluated?.input !== undefined && { input: evaluated.input }),
    ...(child !== null && { child }),
    ...(leftovers.length > 0 && { leftovers }),
    ...(items !== null && { items: items.list }),
  };
}
