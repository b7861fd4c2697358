/**
 * What every contender's steps do: next to nothing, the same for all, and counted, so that a contender that skips steps is found out.
 */
let performed = 0;
let marks: Float64Array | null = null;

/** What every run is started with. */
export const INPUT = { order: 17 } as const;

export interface StepOutput {
  readonly step: number;
  readonly ok: true;
}

/** Step `step` of a saga, counted from 1. */
export function perform(step: number): StepOutput {
  performed += 1;
  if (marks !== null) marks[step] = performance.now();
  return { step, ok: true };
}

/** The compensation of step `step`. */
export function undo(step: number): StepOutput {
  performed += 1;
  return { step, ok: true };
}

/** The last step of a failing saga; the contender throws its own kind of final error. */
export function refuse(): string {
  performed += 1;
  return "refused, as the scenario says";
}

export function performedActs(): number {
  return performed;
}

/** From now on notes when each of `steps` steps began; for one run at a time. */
export function noteSteps(steps: number): void {
  marks = new Float64Array(steps + 1);
}

/** The time from step 901 to 1,000 divided by that from 1 to 100, and stops noting. Null for shorter runs. */
export function growth(): number | null {
  const at = marks;
  marks = null;
  if (at === null) return null;
  const [first, hundredth, late, last] = [at[1], at[100], at[901], at[1_000]];
  if (first === undefined || hundredth === undefined || late === undefined || last === undefined) return null;
  return (last - late) / (hundredth - first);
}
