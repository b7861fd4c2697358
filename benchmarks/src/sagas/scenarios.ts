/**
 * What is measured. A saga is a list of steps in sequence, each a function that returns a small object; a failing one refuses its last
 * step and undoes the others. The load is a closed loop: `inFlight` runs at any time, each started through the contender's public API
 * and awaited to its end, whereupon the next one starts.
 */
export interface SagaScenario {
  readonly kind: "saga";
  readonly name: ScenarioName;
  readonly title: string;
  readonly steps: number;
  /** The last step refuses; the steps before it are undone in reverse. */
  readonly fails: boolean;
  readonly inFlight: number;
  /** How long runs are started, ms; those in flight then are finished and counted, with the time that takes. */
  readonly startFor: number;
}

/** Not sagas: what the database alone does with the statements that such runs send. */
export interface FloorScenario {
  readonly kind: "replay" | "six-commits";
  readonly name: FloorName;
  readonly title: string;
}

export type Scenario = SagaScenario | FloorScenario;
export type ScenarioName = "five-1" | "five-100" | "five-500" | "undo" | "one" | "three" | "nine" | "thousand";
export type FloorName = "floor" | "six-commits";

const five = { kind: "saga", steps: 5, fails: false } as const;
const hundred = { kind: "saga", inFlight: 100, startFor: 1_500 } as const;

export const SAGAS: readonly SagaScenario[] = [
  { ...five, name: "five-1", title: "5 steps, 1 in flight", inFlight: 1, startFor: 1_500 },
  { ...five, name: "five-100", title: "5 steps, 100 in flight", inFlight: 100, startFor: 2_500 },
  { ...five, name: "five-500", title: "5 steps, 500 in flight", inFlight: 500, startFor: 2_500 },
  { ...hundred, name: "undo", title: "fails at the 5th step, undoes 4, 100 in flight", steps: 5, fails: true },
  { ...hundred, name: "one", title: "1 step, 100 in flight", steps: 1, fails: false },
  { ...hundred, name: "three", title: "3 steps, 100 in flight", steps: 3, fails: false },
  { ...hundred, name: "nine", title: "9 steps, 100 in flight", steps: 9, fails: false },
  {
    ...{ kind: "saga", name: "thousand", title: "1,000 steps in one run, 1 in flight" },
    ...{ steps: 1_000, fails: false, inFlight: 1, startFor: 1_500 },
  },
];

export const FLOORS: readonly FloorScenario[] = [
  { kind: "replay", name: "floor", title: "the recorded statements of 5 steps, 500 in flight, by a bare client" },
  { kind: "six-commits", name: "six-commits", title: "six single-row inserts and commits in sequence" },
];

/** Shapes of sagas that contenders declare beforehand: one per pair of length and ending. */
export interface Shape {
  readonly steps: number;
  readonly fails: boolean;
}

export const SHAPES: readonly Shape[] = [...new Map(SAGAS.map((scenario) => [shapeName(scenario), scenario])).values()];

export function shapeName({ steps, fails }: Shape): string {
  return `${fails ? "undo" : "steps"}_${steps}`;
}

/** Durable acts of one run: steps that completed, the one that refused, and the compensations. */
export function actsOf({ steps, fails }: Shape): number {
  return fails ? 2 * steps - 1 : steps;
}
