import type { Json } from "../json.js";
import { parseItemPath } from "./item-path.js";
import type { PlannedStep, RunPlan } from "./plan.js";
import type { MapState, RunState, StepState } from "./state.js";

/** The step of that path as planned; an item is planned as the step that maps. */
export function plannedOf(plan: RunPlan, path: string): PlannedStep | undefined {
  return plan.steps.get(path) ?? plan.steps.get(parseItemPath(path)?.step ?? "");
}

/** What an item's step is about; undefined for other steps. */
export function itemOf(
  state: RunState,
  { item }: Pick<StepState, "item">,
): { readonly item: Json; readonly index: number } | undefined {
  if (item === null) return undefined;
  return { item: state.steps.get(item.step)?.items?.list[item.index] ?? null, index: item.index };
}

/** Those that have begun and not completed. */
export function openItems({ open, steps }: MapState): StepState[] {
  return [...open].flatMap((index) => steps[index] ?? []);
}

/** The steps that are undone in the place of a planned one: its items, if it maps, else itself. */
export function partsOf(step: StepState): readonly StepState[] {
  return step.items === null ? [step] : step.items.steps.filter((item) => item !== undefined);
}
