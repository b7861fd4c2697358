import type { CompensationCall, Json, StepCall } from "@clean-arch/runtime";
import type { Logger } from "../ports/logger.js";
import type { UseCases } from "../use-cases/use-cases.generated.js";

/** What a handler may use beside its call. */
export interface HandlerDeps {
  readonly useCases: UseCases;
  readonly logger: Logger;
}

/**
 * Performs a step in this process. What it returns is the step's output. Throw the runtime's `BusinessRefusal` to say no: the
 * step is not tried again and the saga unwinds; any other throw is retried. It may run more than once, always under the same
 * `call.idempotencyKey`. Stop when `call.signal` aborts.
 */
export type Handler = (call: StepCall, deps: HandlerDeps) => Promise<Json>;

/**
 * Undoes a step, found under `call.forwardKey`. With `call.outcome` "unknown" it may have run, or not; undoing nothing is
 * a success. A throw is retried; a `BusinessRefusal` parks the run as `stuck`.
 */
export type CompensationHandler = (call: CompensationCall, deps: HandlerDeps) => Promise<Json>;

/** The functions of one service by endpoint. */
export interface ServiceHandlers {
  readonly actions: Readonly<Record<string, Handler>>;
  readonly compensations: Readonly<Record<string, CompensationHandler>>;
}
