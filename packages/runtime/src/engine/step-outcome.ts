import type { Json } from "../json.js";
import type { Failure } from "./records.js";

/** What is known about one attempt at a step or a compensation. */
export type StepOutcome =
  /** A `context` object in the output is merged into the run's context. */
  | { readonly kind: "completed"; readonly output: Json }
  /** A business refusal: never retried. It certainly did not run in this attempt. */
  | { readonly kind: "refused"; readonly error: Failure }
  | {
      readonly kind: "failed";
      readonly error: Failure;
      /** False only when it certainly did not run. */
      readonly mayHaveRun: boolean;
      /** False: trying again cannot help (it ran, its answer cannot be read). */
      readonly retry: boolean;
      /** The participant's own wish (`Retry-After`), ms. */
      readonly retryAfterMs?: number;
    };

/** Nothing of the attempt goes on here. */
export type Suspension =
  /** It started, or found, a run whose end decides; `undoes`: that run undoes the step's child. */
  | { readonly kind: "suspended"; readonly child: string; readonly undoes: boolean }
  /** A function waits until a time, by the store's clock, or for the first of these waits to be over. */
  | {
      readonly kind: "suspended";
      readonly child?: undefined;
      readonly until: number | null;
      readonly awaits: readonly string[];
    };
