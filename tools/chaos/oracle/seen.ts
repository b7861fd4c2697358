import type {
  AnswerEvent,
  CallEvent,
  ClientEvent,
  EffectEvent,
  Event,
  FailedItem,
  FaultEvent,
  TaskEvent,
} from "../history.js";
import type { ChaosConfig, SagaShape, StepShape } from "../saga-shapes.js";

/** A call with what became of it. `order`: its place in the history, for "before" and "after". */
export interface SeenCall {
  readonly event: CallEvent;
  readonly order: number;
  effect: { readonly event: EffectEvent; readonly order: number } | null;
  answer: { readonly event: AnswerEvent; readonly order: number } | null;
}

/** What was seen of one run, sorted by run. */
export interface SeenRun {
  readonly id: string;
  /** Null: no client was told of it. */
  definition: string | null;
  /** Null: it is no saga, or nobody knows what it is. */
  saga: SagaShape | null;
  readonly calls: SeenCall[];
  readonly told: { readonly event: Extract<ClientEvent, { kind: "told" }>; readonly order: number }[];
  readonly verbs: Extract<ClientEvent, { kind: "verb" }>[];
}

export type Signaled = Extract<TaskEvent, { kind: "signaled" }>;
export type Scheduled = Extract<TaskEvent, { kind: "scheduled" }>;

export interface Seen {
  readonly isChoreographed: boolean;
  readonly runs: ReadonlyMap<string, SeenRun>;
  readonly started: readonly Extract<ClientEvent, { kind: "started" }>[];
  readonly unknown: readonly Extract<ClientEvent, { kind: "unknown" }>[];
  readonly refused: readonly Extract<ClientEvent, { kind: "refused" }>[];
  readonly signaled: readonly Signaled[];
  readonly scheduled: readonly Scheduled[];
  /** Failed items of batches, as they were listed in the end; a batch that nobody asked about is missing. */
  readonly failedItems: ReadonlyMap<string, readonly FailedItem[]>;
  /** Runs that do the failed items of other ones, with whose. */
  readonly retried: ReadonlyMap<string, string>;
  readonly faults: readonly FaultEvent[];
  /** After which callers of participants give up, ms. */
  readonly timeoutMs: number;
}

/** One sentence on what went wrong, and with which run. */
export interface Violation {
  readonly rule: string;
  readonly run: string | null;
  readonly message: string;
}

export function see(events: readonly Event[], config: ChaosConfig, timeoutMs: number): Seen {
  const runs = new Map<string, SeenRun>();
  const calls = new Map<number, SeenCall>();
  const started: Extract<ClientEvent, { kind: "started" }>[] = [];
  const unknown: Extract<ClientEvent, { kind: "unknown" }>[] = [];
  const refused: Extract<ClientEvent, { kind: "refused" }>[] = [];
  const [signaled, scheduled, faults]: [Signaled[], Scheduled[], FaultEvent[]] = [[], [], []];
  const failedItems = new Map<string, readonly FailedItem[]>();
  const retried = new Map<string, string>();
  const runOf = (id: string): SeenRun => {
    const run = runs.get(id) ?? { id, definition: null, saga: null, calls: [], told: [], verbs: [] };
    runs.set(id, run);
    return run;
  };
  const define = (id: string, definition: string): void => {
    const run = runOf(id);
    run.definition ??= definition;
    run.saga ??= config.sagas.get(definition) ?? null;
  };
  for (const [order, event] of events.entries()) {
    if (event.kind === "call") {
      const call: SeenCall = { event, order, effect: null, answer: null };
      calls.set(event.call, call);
      runOf(event.run).calls.push(call);
    } else if (event.kind === "effect") {
      const call = calls.get(event.call);
      if (call !== undefined) call.effect = { event, order };
    } else if (event.kind === "answer") {
      const call = calls.get(event.call);
      if (call !== undefined) call.answer = { event, order };
    } else if (event.kind === "started") {
      started.push(event);
      define(event.run, event.definition);
    } else if (event.kind === "scheduled") {
      scheduled.push(event);
      define(event.run, event.definition);
    } else if (event.kind === "retried") {
      retried.set(event.run, event.from);
      define(event.run, runOf(event.from).definition ?? "");
    } else if (event.kind === "failed-items") failedItems.set(event.run, event.items);
    else if (event.kind === "signaled") signaled.push(event);
    else if (event.kind === "told") runOf(event.run).told.push({ event, order });
    else if (event.kind === "verb") runOf(event.run).verbs.push(event);
    else if (event.kind === "unknown") unknown.push(event);
    else if (event.kind === "refused") refused.push(event);
    else faults.push(event);
  }
  return {
    ...{ isChoreographed: config.isChoreographed, runs, started, unknown, refused, faults, timeoutMs },
    ...{ signaled, scheduled, failedItems, retried },
  };
}

/** Sent by an owner that had been replaced, and turned away: it proves nothing about the present owner. */
export function isStale(call: SeenCall): boolean {
  return call.answer?.event.why === "stale-fence";
}

export function forwardCalls(run: SeenRun, step: string): SeenCall[] {
  return run.calls.filter(({ event }) => event.step === step && event.direction === "forward");
}

export function compensationCalls(run: SeenRun, step: string): SeenCall[] {
  return run.calls.filter(({ event }) => event.step === step && event.direction === "compensate");
}

export function effectOf(calls: readonly SeenCall[]): SeenCall["effect"] {
  return calls.find(({ effect }) => effect !== null)?.effect ?? null;
}

/** Runs whose calls are those of a saga; items of batches have rules of their own. */
export function sagaRuns({ runs }: Seen): readonly SeenRun[] {
  return [...runs.values()].filter(({ saga, definition }) => saga !== null || definition === null);
}

export function stepsOf(run: SeenRun): readonly StepShape[] {
  return run.saga === null ? [] : [...run.saga.steps.values()];
}

/** As it was told last; null: nobody ever asked. */
export function lastStatus(run: SeenRun): string | null {
  return run.told.at(-1)?.event.status ?? null;
}

/** An operator said that something need not be done, or undone. */
export function wasSkipped(run: SeenRun): boolean {
  return run.verbs.some(({ verb }) => verb === "skip");
}

/** It has a condition, or an operator said that a step past the pivot need not be done, as far as can be seen. */
export function maySkip(run: SeenRun, step: StepShape): boolean {
  if (step.conditional) return true;
  const pivot = run.saga?.pivotAfterWave ?? null;
  return pivot !== null && step.wave > pivot && wasSkipped(run);
}

/** As far as its caller can know: it may have had its effect, whatever its later calls were answered. */
export function mayHaveRun(calls: readonly SeenCall[]): boolean {
  return calls.some((call) => {
    if (call.effect !== null) return true;
    if (isStale(call)) return false;
    const status = call.answer?.event.status ?? null;
    return status === null || status === 408 || status >= 500;
  });
}

/** Something was done to the instance, or to all, between these times, ms. */
export function wasDisturbed({ faults }: Seen, instance: string, from: number, to: number): boolean {
  return faults.some(
    (fault) => (fault.instance === null || fault.instance === instance) && fault.at < to && fault.until > from,
  );
}

/** Faults that may cost an instance its lease; of the others it only notices that its calls fail. */
const COSTLY: ReadonlySet<string> = new Set(["kill", "stop", "stall", "partition", "silence", "slow", "restart"]);

export function isCostly({ fault }: FaultEvent): boolean {
  return COSTLY.has(fault);
}

/** Those that may have cost the instance its lease between these times, ms. */
export function lossesOf({ faults }: Seen, instance: string, from: number, to: number): FaultEvent[] {
  return faults.filter(
    (fault) =>
      isCostly(fault) &&
      (fault.instance === null || fault.instance === instance) &&
      fault.at < to &&
      fault.until > from,
  );
}

/** What a caller gives as a step's output, as far as it can be compared. */
export function referenceOf(output: unknown): unknown {
  return typeof output === "object" && output !== null && "reference" in output ? output.reference : undefined;
}
