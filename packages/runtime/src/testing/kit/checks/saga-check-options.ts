import type { PartialConfig } from "../../../config.js";
import type { JournalRow } from "../../../engine/records.js";
import type { Json } from "../../../json.js";
import type { RunView } from "../../../operator/views.js";
import type { Participant } from "../../../participants/participant.js";
import type { SagaDefinition } from "../../../saga/definition.js";
import type { Definition } from "../../../saga/registry.js";
import type { TestCall } from "../call-log.js";
import type { TestAnswers } from "../simulated-services.js";

/** One that is the same for all runs, or what makes it anew for each. */
export type EachRun<Value> = Value | (() => Value);

/** What the runs of a saga in a test are given. */
export interface SagaTestOptions {
  /** Of every run. Default `{}`. */
  readonly input?: Json;
  /** Sagas that steps of it run. Default: none. */
  readonly definitions?: readonly Definition[];
  /** By the service names that steps use. A service without one is simulated: it has its effect once per key. */
  readonly participants?: EachRun<Readonly<Record<string, Participant>>>;
  /** Outputs of steps that simulated services perform, by the step's name. Default: `{ simulated: true, reference }`. */
  readonly answers?: TestAnswers;
  /** Payloads of the signals that its steps wait for, by the signal's name; they are sent when a step waits. Default `{}` for each. */
  readonly signals?: Readonly<Record<string, Json>>;
  /** Of batches: items in the place of what their sources give. Default: the sources are read. */
  readonly items?: readonly Json[];
  /** As `createRuntime` takes it. */
  readonly config?: PartialConfig;
  /** How long, in real time, an attempt may wait for the real world. Default 2,000 ms. */
  readonly patienceMs?: number;
  /** Before each run, such as to put the state back that handlers change. */
  readonly beforeEach?: () => unknown;
  /** After each run, when it has ended or waits for an operator. What it throws fails the check: judge here what handlers left behind. */
  readonly afterEach?: (outcome: SagaOutcome) => unknown;
}

/** A run at its end. */
export interface SagaOutcome {
  /** Name of the check, or of the simulation. */
  readonly check: string;
  readonly status: RunView["status"];
  readonly run: RunView;
  /** Every attempt at a step or a compensation, of children too, in the order in which they began. */
  readonly calls: readonly TestCall[];
  readonly journal: readonly JournalRow[];
}

/** What is tested: the definition, or what makes it anew for each run. */
export type TestedSaga = EachRun<SagaDefinition>;

export function forThisRun<Value>(given: EachRun<Value>): Value {
  return typeof given === "function" ? (given as () => Value)() : given;
}
