import type { Evaluation } from "../engine/evaluation.js";
import { parseItemPath } from "../engine/item-path.js";
import { itemOf, plannedOf } from "../engine/items.js";
import type { PlannedStep, RunPlan } from "../engine/plan.js";
import type { RunState } from "../engine/state.js";
import { toJson } from "../json.js";
import type { Expression, ExpressionScope, StepDefinition } from "../saga/definition.js";
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
    const planned = plannedOf(plan, step);
    if (planned === undefined) continue;
    const outputs = visibleOutputs(plan, state, planned.name);
    const item = itemOf(state, { item: parseItemPath(step) });
    const evaluation = item
      ? await evaluateItem(planned, step, { ...scope, outputs, ...item })
      : await evaluateStep(planned, { ...scope, outputs });
    evaluated.push({ step, evaluation });
  }
  return evaluated;
}

/** The condition, and if that lets the step run, the rest. */
async function evaluateStep({ definition, name }: PlannedStep, scope: ExpressionScope): Promise<Evaluation> {
  const where = `step "${name}"`;
  return orFailed(async () => {
    if (definition.when !== undefined && !holds(await compute(definition.when, "when", where, scope), name))
      return { kind: "skip" };
    const input = definition.kind === "action" || definition.kind === "child" ? definition.input : undefined;
    const value = valueExpression(definition);
    return {
      kind: "values",
      ...(input && { input: toJson(await compute(input, "input", where, scope), `the input of ${where}`) }),
      ...(value && { value: toJson(await compute(value, definition.kind, where, scope), `what ${where} asks for`) }),
    };
  });
}

/** Of an item, whose step has been evaluated. */
function evaluateItem({ definition }: PlannedStep, path: string, scope: ExpressionScope): Promise<Evaluation> {
  return orFailed(async () => {
    if (definition.kind !== "map" || definition.input === undefined) return { kind: "values" };
    const input = await compute(definition.input, "input", path, scope);
    return { kind: "values", input: toJson(input, `the input of ${path}`) };
  });
}

/** How long a step sleeps, or what it maps over. */
function valueExpression(definition: StepDefinition): Expression | undefined {
  if (definition.kind === "map") return definition.over;
  return definition.kind === "sleep" && typeof definition.duration !== "number" ? definition.duration : undefined;
}

async function compute(expression: Expression, key: string, where: string, scope: ExpressionScope): Promise<unknown> {
  try {
    return await expression.evaluate(scope);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`the ${key} expression of ${where} threw: ${message}`, { cause: error });
  }
}

async function orFailed(evaluation: () => Promise<Evaluation>): Promise<Evaluation> {
  try {
    return await evaluation();
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
