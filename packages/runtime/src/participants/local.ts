import type { StepOutcome } from "../engine/step-outcome.js";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import { toJson } from "../json.js";
import type {
  CompensationCall,
  CompensationHandler,
  RetryPolicy,
  ServiceCall,
  StepCall,
  StepHandler,
} from "../saga/definition.js";
import type { Participant } from "./participant.js";

export interface LocalParticipantOptions {
  /** As stages name it; for errors. */
  readonly name: string;
  /** By endpoint, with its leading slash. */
  readonly handlers: Readonly<Record<string, StepHandler>>;
  /** The same for compensations. Default: none. */
  readonly compensations?: Readonly<Record<string, CompensationHandler>>;
  /** Of an attempt, unless its stage says otherwise. Default 30,000. */
  readonly timeoutMs?: number;
  /** What it says goes before the manager's `recovery`, and after the stage's own. Default: nothing. */
  readonly retry?: Partial<RetryPolicy>;
}

/**
 * A service whose handlers live in this process. Throwing `BusinessRefusal` refuses, any other throw is retried. An endpoint
 * without a handler fails its attempts with `definition-invalid`.
 */
export function localParticipant({
  name,
  handlers,
  compensations = {},
  ...defaults
}: LocalParticipantOptions): Participant {
  const find = <Handler>(map: Readonly<Record<string, Handler>>, { endpoint }: ServiceCall): Handler => {
    if (Object.hasOwn(map, endpoint)) return map[endpoint] as Handler;
    const known = Object.keys(map).join(", ") || "none";
    throw new RuntimeError("definition-invalid", `expected a handler of ${name} for ${endpoint}, got only: ${known}`);
  };
  return {
    description: "local",
    ...defaults,
    perform: async (target, call) =>
      runHandler(
        (call: StepCall) => find(handlers, target)(call),
        call,
        () => `the output of ${name}${target.endpoint}`,
      ),
    compensate: async (target, call) =>
      runCompensation((call: CompensationCall) => find(compensations, target)(call), call),
  };
}

/** Performs a handler written by the user and says what is known about it; at once when the handler answers at once. */
export function runHandler<Call>(
  handler: (call: Call) => unknown,
  call: Call,
  /** Names its output, for errors. */
  what: (call: Call) => string,
): StepOutcome | Promise<StepOutcome> {
  try {
    const value = handler(call);
    if (!isThenable(value)) return completed(value, call, what);
    return Promise.resolve(value).then((awaited) => completed(awaited, call, what), thrown);
  } catch (error) {
    return thrown(error);
  }
}

export function runCompensation<Call>(
  handler: (call: Call) => unknown,
  call: Call,
): StepOutcome | Promise<StepOutcome> {
  try {
    const value = handler(call);
    return isThenable(value) ? Promise.resolve(value).then(() => UNDONE, thrown) : UNDONE;
  } catch (error) {
    return thrown(error);
  }
}

const UNDONE: StepOutcome = { kind: "completed", output: null };

function completed<Call>(value: unknown, call: Call, what: (call: Call) => string): StepOutcome {
  try {
    return { kind: "completed", output: toJson(value, () => what(call)) };
  } catch (error) {
    // It ran; doing it again would not make its output storable.
    const failure = { code: "output-unknown", message: messageOf(error) };
    return { kind: "failed", error: failure, mayHaveRun: true, retry: false };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function thrown(error: unknown): StepOutcome {
  if (error instanceof BusinessRefusal)
    return { kind: "refused", error: { code: error.code, message: error.message.slice(0, 500) } };
  const code = error instanceof RuntimeError ? error.code : "handler-threw";
  return { kind: "failed", error: { code, message: messageOf(error) }, mayHaveRun: true, retry: true };
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
