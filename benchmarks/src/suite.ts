import type { Machine } from "./machine.js";
import type { Named } from "./rounds.js";

export type SuiteName = "sagas" | "sessions" | "events" | "batch";

/** What `npm run bench -- <name>` can run. */
export interface Suite<C extends Named, S extends Named> {
  readonly name: SuiteName;
  readonly contenders: readonly C[];
  readonly scenarios: readonly S[];
  /** Names of the scenarios that `--quick` runs. */
  readonly quick: readonly S["name"][];
}

/** What a bench gives: its last line of output, and `results/<suite>.json`. Figures are medians over the rounds, with least and most. */
export interface SuiteResult {
  readonly suite: SuiteName;
  readonly date: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly machine: Machine;
  readonly contenders: readonly Named[];
  /** Null when one of its two sides was not measured. */
  readonly ratios: Readonly<Record<string, number | null>>;
  /** Turns that could not be finished, in words. */
  readonly failures: readonly string[];
}
