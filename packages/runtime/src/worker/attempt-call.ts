import { itemOf, plannedOf } from "../engine/items.js";
import type { RunPlan } from "../engine/plan.js";
import { type RunState, type StepState, stepOf } from "../engine/state.js";
import type { Json } from "../json.js";
import type { CompensationCall, ContextHandle, StepCall, TransactionRunner } from "../saga/definition.js";
import type { Attempt } from "./attempt.js";
import type { AttemptAbort } from "./attempt-abort.js";
import type { RunSurroundings } from "./run-surroundings.js";

/**
 * What an attempt hands to its handler. One is made for each attempt, and most handlers look at nothing but the input: what costs
 * more than a field is made when it is looked at.
 */
class Call {
  readonly runId: string;
  readonly stage: string;
  readonly input: Json;
  readonly isMapped: boolean;
  readonly runInput: Json;
  /** Of an item alone. */
  declare readonly item?: Json;
  declare readonly index?: number;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly attempt: number;
  readonly fence: number;
  readonly #surroundings: RunSurroundings;
  readonly #attempt: Attempt;
  readonly #abort: AttemptAbort;
  #context: ContextHandle | null = null;
  #transaction: TransactionRunner | null = null;

  /** `origin`: the run that did what is undone, if it is not the run itself; participants know that one. */
  constructor(
    surroundings: RunSurroundings,
    attempt: Attempt,
    abort: AttemptAbort,
    step: StepState,
    origin: RunState["origin"],
  ) {
    const { plan, state, run } = surroundings;
    // What the step's expression made of it when it was evaluated, the same in every attempt.
    const mapped = step.evaluated?.input;
    this.runId = origin?.run ?? state.correlation ?? run.id;
    this.stage = attempt.step;
    this.input = mapped === undefined ? run.input : mapped;
    this.isMapped = mapped !== undefined;
    this.runInput = run.input;
    if (step.item !== null) Object.assign(this, itemOf(state, step));
    this.outputs = visibleOutputs(plan, state, attempt.step);
    this.attempt = attempt.attempt;
    // Stages of a choreographed run have owners of their own, and no fence is common to them: keys alone tell late calls from others.
    this.fence = plan.definition.unit === undefined ? state.fence + (origin?.fence ?? 0) : 1;
    this.#surroundings = surroundings;
    this.#attempt = attempt;
    this.#abort = abort;
  }

  get context(): ContextHandle {
    this.#context ??= this.#surroundings.context.handle(this.stage);
    return this.#context;
  }

  get transaction(): TransactionRunner {
    this.#transaction ??= this.#surroundings.transactions.of(this.#attempt, this.#abort);
    return this.#transaction;
  }

  get timeoutMs(): number {
    const { step, direction } = this.#attempt;
    return actOf(this.#surroundings.plan, step, direction)?.timeoutMs ?? 0;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get heartbeatMs(): number | null {
    return this.#abort.heartbeat?.silenceMs ?? null;
  }

  get heartbeatDetails(): Json {
    return this.#abort.heartbeat?.before ?? null;
  }

  get heartbeat(): (details?: unknown) => void {
    return (details) => this.#abort.heartbeat?.beat(details);
  }
}

export class AttemptCall extends Call implements StepCall {
  readonly idempotencyKey: string;

  constructor(surroundings: RunSurroundings, attempt: Attempt, abort: AttemptAbort) {
    super(surroundings, attempt, abort, stepOf(surroundings.state, attempt.step), null);
    this.idempotencyKey = stepKey(this.runId, attempt);
  }
}

export class AttemptUndoCall extends Call implements CompensationCall {
  readonly idempotencyKey: string;
  readonly forwardKey: string;
  readonly outcome: "completed" | "unknown";
  readonly output: Json;
  readonly reason: string;

  constructor(surroundings: RunSurroundings, attempt: Attempt, abort: AttemptAbort) {
    const { state } = surroundings;
    const step = stepOf(state, attempt.step);
    const completed = step.forward.status === "done";
    super(surroundings, attempt, abort, step, state.origin);
    this.forwardKey = stepKey(this.runId, attempt);
    this.idempotencyKey = `${this.forwardKey}:compensate`;
    this.outcome = completed ? "completed" : "unknown";
    this.output = completed ? step.output : null;
    this.reason = state.unwind?.error.message ?? "";
  }
}

/** All of it as plain members, which a participant around another one may copy and change. */
export function copyOf<C extends StepCall | CompensationCall>(call: C): C {
  const { context, transaction, timeoutMs, signal, heartbeat, heartbeatMs, heartbeatDetails } = call;
  return { ...call, context, transaction, timeoutMs, signal, heartbeat, heartbeatMs, heartbeatDetails };
}

/** What the attempt performs: the step, or its compensation. */
export function actOf(plan: RunPlan, step: string, direction: Attempt["direction"]) {
  const planned = plannedOf(plan, step);
  return direction === "forward" ? planned : planned?.compensation;
}

/** The first round's key has no round in it. */
function stepKey(run: string, { step, round }: Attempt): string {
  return round === 1 ? `${run}:${step}` : `${run}:${step}:r${round}`;
}

/** Of earlier waves only, so that an attempt sees the same however far its siblings have come. */
export function visibleOutputs(plan: RunPlan, state: RunState, name: string): Readonly<Record<string, Json>> {
  const siblings = plan.waves[plannedOf(plan, name)?.wave ?? 0] ?? [];
  // Alone in its wave: nothing is added while it runs, and a copy would make the n-th step cost n.
  if (siblings.length === 1) return state.outputs;
  const hidden = new Set(siblings.map((step) => step.name));
  return Object.fromEntries(Object.entries(state.outputs).filter(([step]) => !hidden.has(step)));
}
