import type { Evaluation } from "../engine/evaluation.js";
import { parseItemPath } from "../engine/item-path.js";
import { itemOf, plannedOf } from "../engine/items.js";
import type { RunPlan } from "../engine/plan.js";
import type { RunState } from "../engine/state.js";
import { toJson } from "../json.js";

/** The expressions of a random step, which are functions: as the worker evaluates them, and without waiting. */
export function evaluateNow(plan: RunPlan, state: RunState, path: string, now: number): Evaluation {
  const planned = plannedOf(plan, path);
  if (planned === undefined) throw new Error(`expected a step "${path}" to evaluate, got none`);
  const { definition } = planned;
  const item = itemOf(state, { item: parseItemPath(path) });
  const scope = { input: {}, outputs: {}, context: {}, now, ...item };
  try {
    if (item === undefined && definition.when !== undefined && definition.when.evaluate(scope) !== true)
      return { kind: "skip" };
    const isAct = definition.kind === "action" || definition.kind === "child" || item !== undefined;
    const input = isAct && "input" in definition ? definition.input : undefined;
    const duration =
      definition.kind === "sleep" && typeof definition.duration !== "number" ? definition.duration : null;
    const value = definition.kind === "map" && item === undefined ? definition.over : duration;
    return {
      kind: "values",
      ...(input && { input: toJson(input.evaluate(scope), path) }),
      ...(value && { value: toJson(value.evaluate(scope), path) }),
    };
  } catch (error) {
    return { kind: "failed", error: { code: "expression-failed", message: String(error) } };
  }
}
