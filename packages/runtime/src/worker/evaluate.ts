import type { Evaluation } from "../engine/evaluation.js";
import type { PlannedStep, RunPlan } from "../engine/plan.js";
import type { RunState } from "../engine/state.js";
import { toJson } from "../json.js";
import type { Expression, ExpressionScope } from "../saga/definition.js";
import { visibleOutputs } from "./attempt-call.js";

export interface StepEvaluation {
  readonly step: string;
  readonly evaluation: Evaluation;
}

/** Evaluates the expressions of the steps named, one step after the other. Never throws. */
export async function evaluate(
  plan: RunPlan,
  state: RunState,
  steps: readonly string[],
  scope: Omit<ExpressionScope, "outputs">,
): Promise<StepEvaluation[]> {
  const evaluated: StepEvaluation[] = [];
  for (const step of steps) {
    const planned = plan.steps.get(step);
    if (planned === undefined) continue;
    const outputs = visibleOutputs(plan, state, step);
    evaluated.push({ step, evaluation: await evaluateStep(planned, { ...scope, outputs }) });
  }
  return evaluated;
}

/** The condition, and if that lets the step run, the rest. */
async function evaluateStep(planned: PlannedStep, scope: ExpressionScope): Promise<Evaluation> {
  const { definition, name } = planned;
  const compute = async (expression: Expression, key: string): Promise<unknown> => {
    try {
      return await expression.evaluate(scope);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`the ${key} expression of step "${name}" threw: ${message}`, { cause: error });
    }
  };
  try {
    if (definition.when !== undefined && !holds(await compute(definition.when, "when"), name)) return { kind: "skip" };
    const input = "input" in definition ? definition.input : undefined;
    const value =
      definition.kind === "sleep" && typeof definition.duration !== "number" ? definition.duration : undefined;
    return {
      kind: "values",
      ...(input && { input: toJson(await compute(input, "input"), `the input of step "${name}"`) }),
      ...(value && { value: toJson(await compute(value, "sleep"), `the time of step "${name}"`) }),
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: "failed", error: { code: "expression-failed", message: message.slice(0, 500) } };
  }
}

/** Nothing found is no. A number or a text is a mistake more often than a wish. */
function holds(value: unknown, step: string): boolean {
  if (typeof value === "boolean") return value;
  if (value === undefined || value === null) return false;
  throw new Error(
    `expected the when expression of step "${step}" to give true or false, got ${JSON.stringify(value)?.slice(0, 80)}; compare, or use $boolean(...)`,
  );
}
