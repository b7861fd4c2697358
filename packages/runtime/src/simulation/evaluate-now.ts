import type { Evaluation } from "../engine/evaluation.js";
import type { PlannedStep } from "../engine/plan.js";
import { toJson } from "../json.js";

/** The expressions of a random step, which are functions: as the worker evaluates them, and without waiting. */
export function evaluateNow({ definition, name }: PlannedStep, now: number): Evaluation {
  const scope = { input: {}, outputs: {}, context: {}, now };
  try {
    if (definition.when !== undefined && definition.when.evaluate(scope) !== true) return { kind: "skip" };
    const input = definition.kind === "action" ? definition.input : undefined;
    const value =
      definition.kind === "sleep" && typeof definition.duration !== "number" ? definition.duration : undefined;
    return {
      kind: "values",
      ...(input && { input: toJson(input.evaluate(scope), name) }),
      ...(value && { value: toJson(value.evaluate(scope), name) }),
    };
  } catch (error) {
    return { kind: "failed", error: { code: "expression-failed", message: String(error) } };
  }
}
