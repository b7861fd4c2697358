import type { Failure } from "../engine/records.js";
import type { Json } from "../json.js";
import type { CompensationCall, RetryPolicy, ServiceCall, StepCall } from "../saga/definition.js";

/** A service that performs steps. Never throws for what a service does; says what is known about it. */
export interface Participant {
  /** What it is, for definitions and logs: `http https://stock.internal`, `local`, `simulated`. */
  readonly description: string;
  /** Default of its calls' timeouts, ms. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  perform(target: ServiceCall, call: StepCall): Promise<StepOutcome>;
  compensate(target: ServiceCall, call: CompensationCall): Promise<StepOutcome>;
}

export type StepOutcome =
  | { readonly kind: "completed"; readonly output: Json; readonly context?: Json }
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
