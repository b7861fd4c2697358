import { type Json, toJson } from "../json.js";
import type { RunPlan } from "./plan.js";
import type { RunState } from "./state.js";

/** What a completed run returns: `returns(outputs)`, else the last wave's output (by name when it has several steps). */
export function canonicalOutput(plan: RunPlan, state: RunState): Json {
  const { returns } = plan.definition;
  if (returns !== undefined) return toJson(returns(state.outputs), `the output of "${plan.definition.name}"`);
  const last = plan.waves.at(-1) ?? [];
  const only = last.length === 1 ? last[0] : undefined;
  if (only !== undefined) return state.outputs[only.name] ?? null;
  return Object.fromEntries(last.map((step) => [step.name, state.outputs[step.name] ?? null]));
}
