import { type PartialConfig, resolveConfig } from "../../../config.js";
import type { RunPlan } from "../../../engine/plan.js";
import type { EndStatus, ParkedStatus } from "../../../engine/records.js";
import { RuntimeError } from "../../../errors.js";
import type { SagaDefinition, StepDefinition } from "../../../saga/definition.js";
import type { Definition } from "../../../saga/registry.js";

/** A step and where it stands in its saga. */
export interface ShapedStep {
  readonly name: string;
  readonly definition: StepDefinition;
  readonly wave: number;
  /** The saga only goes forward from there on. */
  readonly isPastPivot: boolean;
}

/** What can be told of a saga before it runs: which steps can fail, and what follows from that. */
export class SagaShape {
  readonly steps: readonly ShapedStep[];
  readonly #children: readonly Definition[];

  constructor({ waves, pivotAfterWave }: SagaDefinition, children: readonly Definition[] = []) {
    this.#children = children;
    this.steps = waves.flatMap(({ steps }, wave) =>
      steps.map((definition) => {
        refuseElsewhere(definition);
        const isPastPivot = pivotAfterWave !== null && wave > pivotAfterWave;
        return { name: definition.name, definition, wave, isPastPivot };
      }),
    );
  }

  /** Steps that somebody performs, one by one or for each item of a list. */
  get acts(): readonly ShapedStep[] {
    return this.steps.filter(({ definition: { kind } }) => kind === "action" || kind === "map");
  }

  /** Those of them that are undone when the saga fails. */
  get undone(): readonly ShapedStep[] {
    return this.acts.filter(
      ({ definition, isPastPivot }) => !isPastPivot && "compensation" in definition && definition.compensation !== null,
    );
  }

  /** An act whose refusal makes the step fail: its own, or, of a child saga, that one's first. Null: there is none. */
  failsBy({ definition }: ShapedStep): { readonly saga?: string; readonly stage: string } | null {
    if (definition.kind === "action" || definition.kind === "map") return { stage: definition.name };
    if (definition.kind !== "child") return null;
    const child = this.#children.find(({ name }) => name === definition.saga);
    if (child === undefined || !("waves" in child)) return null;
    const inside = new SagaShape(child, this.#children);
    const first = inside.steps.find((step) => !step.isPastPivot && inside.failsBy(step) !== null);
    const by = first === undefined ? null : inside.failsBy(first);
    return by && { saga: child.name, ...by };
  }
}

/** How a run ends, or where it is parked, when a step before the pivot has failed for good. */
export function endOfFailure({ strategy }: RunPlan): EndStatus | ParkedStatus {
  if (strategy === "compensate") return "compensated";
  return strategy === "manual" ? "stuck" : "failed";
}

/** A failed run is undone, and not left to an operator or as it is. */
export function undoesFailures(config: PartialConfig | undefined): boolean {
  const { enabled, strategy } = resolveConfig(config).recovery;
  return enabled && strategy === "compensate";
}

function refuseElsewhere(step: StepDefinition): void {
  if (step.kind !== "action" || step.isElsewhere !== true) return;
  const message = `expected steps that can be performed in the test, got "${step.name}", which another service performs by events; test its event participant there`;
  throw new RuntimeError("definition-invalid", message, { step: step.name });
}
