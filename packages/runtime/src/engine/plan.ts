import type { CompensationDefinition, RetryPolicy, SagaDefinition, StepDefinition } from "../saga/definition.js";

/** A definition with every default filled in: what the pure core decides by. */
export interface RunPlan {
  readonly definition: SagaDefinition;
  readonly waves: readonly (readonly PlannedStep[])[];
  readonly steps: ReadonlyMap<string, PlannedStep>;
  readonly pivotAfterWave: number | null;
  /** Some step runs another saga. */
  readonly hasChildren: boolean;
  readonly timeoutMs: number;
  readonly startTimeoutMs: number | null;
  readonly strategy: RecoveryStrategy;
  /** How often the process may die of a run before it is parked. */
  readonly maxCrashes: number;
  /** Nothing of it is performed by the run's owner: its units tell what they did. */
  readonly isObserved: boolean;
}

/** `none`: recovery is switched off; one attempt per step, then `failed`. */
export type RecoveryStrategy = "compensate" | "retry" | "manual" | "none";

export interface PlannedStep {
  readonly name: string;
  readonly wave: number;
  readonly definition: StepDefinition;
  /** It has expressions, which are evaluated before it begins. */
  readonly hasExpressions: boolean;
  /** Each of its items has an input of its own. */
  readonly evaluatesItems: boolean;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly compensation: PlannedCompensation | null;
}

export interface PlannedCompensation {
  /** Null: the step's kind knows how it is undone. */
  readonly definition: CompensationDefinition | null;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
}

export interface PlanDefaults {
  readonly strategy: RecoveryStrategy;
  readonly retry: RetryPolicy;
  readonly maxCrashes: number;
  readonly runTimeoutMs: number;
  readonly stepTimeoutMs: number;
  /** Defaults of a service, between the stage's own and the general ones. */
  readonly service: (name: string) => { readonly timeoutMs?: number; readonly retry?: Partial<RetryPolicy> };
}

/** What a stage says goes before what its saga says, that before what its service says, and that before the general defaults. */
export function planOf(definition: SagaDefinition, defaults: PlanDefaults): RunPlan {
  const single = defaults.strategy === "none" ? { maxAttempts: 1 } : {};
  const act = (timeoutMs: number | null, retry: Partial<RetryPolicy>, service: string | null) => {
    const ofService = service === null ? {} : defaults.service(service);
    return {
      timeoutMs: timeoutMs ?? ofService.timeoutMs ?? defaults.stepTimeoutMs,
      retry: { ...defaults.retry, ...ofService.retry, ...definition.retry, ...retry, ...single },
    };
  };
  const serviceOf = (action: object): string | null => ("service" in action ? String(action.service) : null);
  const waves = definition.waves.map((wave, index) =>
    wave.steps.map((step): PlannedStep => {
      const evaluatesItems = step.kind === "map" && step.input !== undefined;
      const base = {
        name: step.name,
        wave: index,
        definition: step,
        hasExpressions: hasExpressions(step),
        evaluatesItems,
      };
      if (step.kind !== "action" && step.kind !== "map") {
        const own = act(null, {}, null);
        // A child, or a batch, is undone by its kind.
        const undone = step.kind === "child" || step.kind === "batch";
        return { ...base, ...own, compensation: undone ? { definition: null, ...own } : null };
      }
      const undo = step.compensation;
      return {
        ...base,
        ...act(step.timeoutMs, step.retry, serviceOf(step.action)),
        compensation: undo && { definition: undo, ...act(undo.timeoutMs, undo.retry, serviceOf(undo.action)) },
      };
    }),
  );
  return {
    definition,
    waves,
    steps: new Map(waves.flat().map((step) => [step.name, step])),
    pivotAfterWave: definition.pivotAfterWave,
    hasChildren: definition.waves.some((wave) => wave.steps.some((step) => step.kind === "child")),
    timeoutMs: definition.timeoutMs ?? defaults.runTimeoutMs,
    startTimeoutMs: definition.startTimeoutMs ?? null,
    strategy: strategyOf(definition, defaults),
    maxCrashes: defaults.maxCrashes,
    isObserved: definition.style === "choreography",
  };
}

/** What a batch did is not undone when some of it fails: it waits for an operator. */
function strategyOf({ runType }: SagaDefinition, { strategy }: PlanDefaults): RecoveryStrategy {
  return runType === "batch" && strategy !== "none" ? "manual" : strategy;
}

function hasExpressions(step: StepDefinition): boolean {
  if (step.when !== undefined || step.kind === "map") return true;
  if (step.kind === "sleep") return typeof step.duration !== "number";
  return "input" in step && step.input !== undefined;
}
