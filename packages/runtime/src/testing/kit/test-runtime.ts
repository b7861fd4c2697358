import type { PartialConfig } from "../../config.js";
import { type Duration, parseDurationMs } from "../../duration.js";
import type { Direction, JournalRow } from "../../engine/records.js";
import { RuntimeError } from "../../errors.js";
import type { Json } from "../../json.js";
import type { RunView } from "../../operator/views.js";
import type { Participant } from "../../participants/participant.js";
import type { Clock } from "../../ports.js";
import type { RunVerb, SagaManager, StartedRun, StartOptions } from "../../saga/manager.js";
import type { Definition } from "../../saga/registry.js";
import type { RunStore } from "../../store/run-store.js";
import type { TestCall } from "./call-log.js";
import { journalText } from "./journal-text.js";
import type { TestAnswers } from "./simulated-services.js";
import { isSettled, TestWorld } from "./test-world.js";

export interface TestRuntimeOptions {
  readonly definitions: readonly Definition[];
  /** By the service names that steps use. A service without one is simulated: it has its effect once per key. */
  readonly participants?: Readonly<Record<string, Participant>>;
  /** Outputs of steps that simulated services perform, by the step's name. Default: `{ simulated: true, reference }`. */
  readonly answers?: TestAnswers;
  /** Of batches: items in the place of what their sources give. Default: the sources are read. */
  readonly items?: readonly Json[];
  /** As `createRuntime` takes it; what has ended is kept unless it says otherwise. */
  readonly config?: PartialConfig;
  /** Of ids, jitter and whatever else is left to chance: the same seed, the same run. Default 1. */
  readonly seed?: number;
  /** When the test begins, ms since the epoch or ISO 8601. Default 2026-01-01T00:00:00Z. */
  readonly startAt?: number | string;
  /**
   * How long, in real time, an attempt may wait for the real world; then test time goes on without it, up to its timeout if need be.
   * Default 2,000 ms.
   */
  readonly patienceMs?: number;
  /** Puts something between the runtime and its store, such as `faultyStore`; `clock` has test time. Default: nothing. */
  readonly store?: (store: RunStore, clock: Clock) => RunStore;
}

export interface TestFailure {
  /** Attempts that fail so. Default 1. */
  readonly times?: number;
  /** As a service would answer: 4xx refuses, anything else is a fault and is retried. Default 503. */
  readonly status?: number;
  readonly message?: string;
  /** Default `forward`: the step itself. */
  readonly direction?: Direction;
}

/**
 * The runtime on a store in memory, in test time: it passes only while a method of this object is waited for, and then from one timer to
 * the next, over days in which nothing is due in one step. While an attempt at a step is under way it stands still. What breaks an
 * invariant of the runtime makes the method that is waited for throw.
 */
export interface TestRuntime {
  /** Of the process that is alive. What it promises needs time to pass: `runtime.pass(manager.get(id))`. */
  readonly manager: SagaManager;
  /** Test time, for handlers that wait for it: then it passes. */
  readonly clock: Clock;
  /** Every attempt at a step or a compensation, in the order in which they began. */
  readonly calls: readonly TestCall[];

  start(definition: string, input?: Json, options?: StartOptions): Promise<StartedRun>;
  /** Starts, and waits as `wait` does. */
  run(definition: string, input?: Json, options?: StartOptions): Promise<RunView>;
  /** Until the run has ended, or waits for an operator (`stuck`, `paused`). Error: nothing is due any more, and it has not. */
  wait(run: string): Promise<RunView>;
  get(run: string): Promise<RunView>;
  signal(run: string, name: string, payload?: Json): Promise<void>;
  /** An operator's verb. Errors: those of `SagaManager.act`. */
  act(run: string, verb: RunVerb, reason?: string): Promise<void>;
  /** Lets exactly that much time pass. */
  skip(duration: Duration): Promise<void>;
  /** Until a step of that name has begun in a run that has not ended, or until the condition holds. Error: nothing is due any more. */
  runUntil(reached: string | (() => boolean | Promise<boolean>)): Promise<void>;
  /** Lets time pass until a promise of the runtime's own settles. */
  pass<Value>(promise: Promise<Value>): Promise<Value>;
  /** The process dies without a word, attempts under way with it; resolves when the next one has taken over its runs. */
  crash(): Promise<void>;
  /** The next attempts at a step fail. Several for one step come one after the other. Error: `definition-invalid`, no such step. */
  fail(step: string, failure?: TestFailure): void;
  /** Attempts at one step, its items included. */
  callsOf(step: string, direction?: Direction): readonly TestCall[];
  journal(run: string): readonly JournalRow[];
  /** The journal to be read: a line for each record. */
  journalText(run: string): string;
  /** Twice is once. */
  close(): Promise<void>;
}

/** Opened. Errors: `definition-invalid`, `config-invalid`. */
export async function createTestRuntime(options: TestRuntimeOptions): Promise<TestRuntime> {
  const { store, startAt, ...rest } = options;
  const world = new TestWorld({
    ...rest,
    ...(startAt !== undefined && { startMs: new Date(startAt).getTime() }),
    ...(store !== undefined && { store: (inner, time) => store(inner, time.forHandlers) }),
  });
  await world.open();
  return new WorldRuntime(world);
}

class WorldRuntime implements TestRuntime {
  readonly #world: TestWorld;

  constructor(world: TestWorld) {
    this.#world = world;
  }

  get manager(): SagaManager {
    return this.#world.manager;
  }

  get clock(): Clock {
    return this.#world.time.forHandlers;
  }

  get calls(): readonly TestCall[] {
    return this.#world.log.calls;
  }

  start(definition: string, input: Json = {}, options: StartOptions = {}): Promise<StartedRun> {
    return this.#world.ask((manager) => manager.start(definition, input, options));
  }

  async run(definition: string, input: Json = {}, options: StartOptions = {}): Promise<RunView> {
    const { id } = await this.start(definition, input, options);
    return this.wait(id);
  }

  async wait(run: string): Promise<RunView> {
    await this.get(run);
    const status = () => this.#world.memory.runs.get(run)?.status ?? "completed";
    await this.#world.pass(
      () => isSettled(status()),
      () => `run ${run} to end, and it is ${status()}:\n${this.journalText(run)}\n`,
    );
    return this.get(run);
  }

  get(run: string): Promise<RunView> {
    return this.#world.ask((manager) => manager.get(run));
  }

  signal(run: string, name: string, payload: Json = {}): Promise<void> {
    return this.#world.ask((manager) => manager.signal(run, name, payload, { actor: "test" }));
  }

  act(run: string, verb: RunVerb, reason = "the test wants it"): Promise<void> {
    return this.#world.ask((manager) => manager.act(run, verb, { reason, actor: "test" }));
  }

  async skip(duration: Duration): Promise<void> {
    const until = this.#world.time.clock.now() + parseDurationMs(duration, "skip");
    await this.#world.pass(
      () => this.#world.time.clock.now() >= until,
      () => `${duration} to pass`,
      until,
    );
  }

  async runUntil(reached: string | (() => boolean | Promise<boolean>)): Promise<void> {
    const done = typeof reached === "string" ? () => this.#hasBegun(reached) : reached;
    if (typeof reached === "string") this.#checkStep(reached);
    const what = typeof reached === "string" ? `step "${reached}" to begin` : "the condition to hold";
    await this.#world.pass(done, () => what);
  }

  pass<Value>(promise: Promise<Value>): Promise<Value> {
    return this.#world.ask(() => promise);
  }

  crash(): Promise<void> {
    return this.#world.crash();
  }

  fail(step: string, failure: TestFailure = {}): void {
    this.#checkStep(step);
    const { times = 1, status = 503, direction = "forward" } = failure;
    const { message = `the test made "${step}" answer ${status}` } = failure;
    const kind = status >= 400 && status < 500 ? "refused" : "failed";
    this.#world.faults.add({ stage: step, direction, times, fault: { kind, status, message } });
  }

  callsOf(step: string, direction?: Direction): readonly TestCall[] {
    return this.#world.log.of(step, direction);
  }

  journal(run: string): readonly JournalRow[] {
    return this.#world.journal.runs.get(run)?.rows ?? [];
  }

  journalText(run: string): string {
    return journalText(this.journal(run));
  }

  close(): Promise<void> {
    return this.#world.close();
  }

  #hasBegun(step: string): boolean {
    return [...this.#world.journal.runs.values()].some(
      ({ rows, state }) =>
        state.end === null &&
        rows.some(({ records }) =>
          records.some(
            (record) =>
              (record.kind === "dispatched" || record.kind === "suspended") &&
              record.step === step &&
              record.direction !== "compensate",
          ),
        ),
    );
  }

  #checkStep(step: string): void {
    const known = this.#world.stepNames;
    if (known.includes(step) || step.startsWith("items[")) return;
    const message = `expected the name of a step, got ${JSON.stringify(step)}; known are: ${known.join(", ")}`;
    throw new RuntimeError("definition-invalid", message, { step });
  }
}
