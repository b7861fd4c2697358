import { isSuspect, mustBeAlone, needsIsolation, poisonOf } from "../engine/crashes.js";
import { type Decision, decide } from "../engine/decide.js";
import { foldRecord } from "../engine/fold.js";
import type { RunPlan } from "../engine/plan.js";
import { type RunState, waitsForOperator } from "../engine/state.js";
import type { IsolatedRun, Isolation } from "./isolation.js";

/** What is decided while nothing may be. */
export const NOTHING: Decision = { records: [], abort: [], evaluate: [], wakeAt: null, awaitsMessage: false };

/**
 * What comes next for a run, or nothing while it is kept apart from others: it is then woken when it may go on. A run that is found
 * innocent gives way to others (`isolation.leave`) when the row that says so is durable: a crash before would count.
 */
export function decideApart(
  plan: RunPlan,
  state: RunState,
  now: number,
  run: IsolatedRun,
  isolation: Isolation,
): Decision {
  const { crashes } = state;
  const keepsApart = isSuspect(crashes) && !waitsForOperator(state) && poisonOf(crashes, plan.maxCrashes) === null;
  if (!keepsApart) return isolation.pass(run) ? decide(plan, state, now) : NOTHING;
  const alone = mustBeAlone(crashes, plan.maxCrashes);
  if (!isolation.enter(run, alone)) return NOTHING;
  const isToSay = needsIsolation(crashes);
  const decision = decide(plan, state, now);
  const begins = decision.records.some(({ kind }) => kind === "dispatched");
  if (!begins && state.running === 0 && decision.evaluate.length === 0) isolation.leave(run);
  if (!begins || !isToSay) return decision;
  // Before anything is begun, so that a crash counts.
  const isolated = { kind: "isolated", alone } as const;
  foldRecord(plan, state, isolated, now);
  return { ...decision, records: [isolated, ...decision.records] };
}
