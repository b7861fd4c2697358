import type { StepOutcome } from "../engine/step-outcome.js";
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
