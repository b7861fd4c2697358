import { type PartialConfig, resolveConfig, type SessionConfig } from "../../config.js";
import { END_STATUSES } from "../../engine/records.js";
import type { Json } from "../../json.js";
import type { Participant } from "../../participants/participant.js";
import type { SagaManager } from "../../saga/manager.js";
import { type Definition, Registry } from "../../saga/registry.js";
import { Breaches } from "../../simulation/world/breaches.js";
import { JournalWatch } from "../../simulation/world/journal-watch.js";
import type { RunStore } from "../../store/run-store.js";
import { createMemoryRunStore, createMemoryWorld } from "../../stores/memory/index.js";
import type { StoredRun } from "../../stores/memory/world.js";
import { CallLog } from "./call-log.js";
import { quietUntil } from "./quiet.js";
import { simulatedServices, type TestAnswers } from "./simulated-services.js";
import { type Place, type StepFault, StepFaults } from "./step-faults.js";
import { TestProcess } from "./test-process.js";
import { TestTime } from "./test-time.js";

export interface TestWorldOptions {
  readonly definitions: readonly Definition[];
  readonly participants?: Readonly<Record<string, Participant>>;
  readonly answers?: TestAnswers;
  readonly config?: PartialConfig;
  readonly seed?: number;
  /** ms since the epoch. */
  readonly startMs?: number;
  readonly patienceMs?: number;
  /** Stand in for the sources of batches. Default: their own are read. */
  readonly items?: readonly Json[];
  /** Put between the processes and the store. */
  readonly store?: (store: RunStore, time: TestTime) => RunStore;
  /** Before the rules of `faults`. */
  readonly faultOf?: (place: Place) => StepFault | null;
  /** Told of each write of a process, before and after it is made. */
  readonly onWrite?: (when: "before" | "after", process: TestProcess) => void;
}

const DEFAULT_START_MS = Date.UTC(2026, 0, 1);
const DEFAULT_PATIENCE_MS = 2_000;

/** What was asked of a process that died before it answered. */
export class ProcessDied extends Error {
  override readonly name = "ProcessDied";
}

/**
 * A store, the processes on it, those who perform their steps, and the time of all of them. One process is alive at a time: when it dies the
 * next one is started, and has the runs once the lease of the dead one is over. Every row is judged as it is written.
 */
export class TestWorld {
  readonly time: TestTime;
  readonly memory = createMemoryWorld();
  readonly log = new CallLog();
  readonly faults = new StepFaults();
  readonly breaches = new Breaches();
  /** Signals that functions wait for, or have waited for; by a name that is the same in each execution of the function. */
  readonly functionWaits = new Map<string, { readonly run: string; readonly signal: string }>();
  readonly journal: JournalWatch;
  readonly config: SessionConfig;
  readonly registry: Registry;
  readonly #options: TestWorldOptions;
  readonly #store: RunStore;
  readonly #participants: Readonly<Record<string, Participant>>;
  readonly #isChoreographed: boolean;
  #process: TestProcess | null = null;
  #processes = 0;
  #closed = false;
  /** Requests to the process that it has not answered. */
  #requests = 0;

  constructor(options: TestWorldOptions) {
    const { definitions, participants = {}, answers = {}, config = {} } = options;
    this.#options = options;
    this.time = new TestTime(options.startMs ?? DEFAULT_START_MS, options.patienceMs ?? DEFAULT_PATIENCE_MS);
    // A test wants to see what has ended, however much time it lets pass.
    this.config = resolveConfig({ ...config, retention: { endedMs: null, ...config.retention } });
    this.#participants = simulatedServices(definitions, participants, answers, this.time.forHandlers);
    this.registry = new Registry(definitions, this.#participants, this.config);
    this.#isChoreographed = this.registry.isChoreographing;
    const find = (name: string, version: string) => {
      const plan = this.registry.find(name, version);
      if (plan === undefined) throw new Error(`expected a plan of ${name}@${version}, got none`);
      return plan;
    };
    this.journal = new JournalWatch(this.memory, find, this.breaches);
    this.#store = createMemoryRunStore({ world: this.memory, clock: this.time.clock });
  }

  get manager(): SagaManager {
    return this.#alive.manager;
  }

  get runs(): readonly StoredRun[] {
    return [...this.memory.runs.values()];
  }

  get processName(): string {
    return this.#process?.name ?? "";
  }

  get stepNames(): readonly string[] {
    return this.registry
      .list()
      .flatMap(({ name, version }) => [...(this.registry.find(name, version)?.steps.keys() ?? [])]);
  }

  /** Resolves when a process has the lease. */
  async open(): Promise<void> {
    if (this.#process === null) this.#start();
    await this.time.pass({ done: () => this.#hasLease, what: () => "a process with the lease" });
  }

  /** The process dies without a word; resolves when the next one has the lease. */
  async crash(): Promise<void> {
    this.#alive.crash();
    await this.open();
  }

  /** Asks the process and lets time pass until it has answered. Error: `ProcessDied`. */
  async ask<Value>(request: (manager: SagaManager) => Promise<Value>): Promise<Value> {
    const process = this.#alive;
    let settled = false;
    const died = new Promise<never>((_, reject) => process.onDeath(() => reject(new ProcessDied("the process died"))));
    const answer = Promise.race([request(process.manager), died]).finally(() => {
      settled = true;
    });
    answer.catch(() => {});
    await this.time.pass({ done: () => settled, what: () => "an answer of the runtime" });
    return answer;
  }

  /** Asks the process while somebody else lets time pass, which takes no long steps meanwhile. What comes of it is not told. */
  request(request: (manager: SagaManager) => Promise<unknown>): void {
    const process = this.#alive;
    this.#requests += 1;
    const died = new Promise<void>((resolve) => process.onDeath(resolve));
    const answered = request(process.manager).catch(() => {});
    void Promise.race([answered, died]).then(() => {
      this.#requests -= 1;
    });
  }

  /** Lets time pass until `done`, over days in which nothing is due in one step. */
  async pass(done: () => boolean | Promise<boolean>, what: () => string, until?: number): Promise<void> {
    await this.time.pass({
      done: () => {
        this.breaches.raise();
        return done();
      },
      ...{ what, quietUntil: () => this.#quietUntil() },
      ...(until !== undefined && { until }),
    });
  }

  /** Every run has ended, or waits for an operator. */
  get isSettled(): boolean {
    return this.runs.every(({ status }) => isSettled(status));
  }

  async close(): Promise<void> {
    if (this.#closed || this.#process === null) return;
    this.#closed = true;
    let closed = false;
    const closing = this.#process.manager.close(0).finally(() => {
      closed = true;
    });
    this.#process.letGo();
    await this.time.pass({ done: () => closed, what: () => "the runtime to close" });
    await closing;
  }

  get #alive(): TestProcess {
    if (this.#process === null || this.#closed) throw new Error("expected an open test runtime, got a closed one");
    return this.#process;
  }

  #start(): void {
    const { store, faultOf, onWrite, seed = 1 } = this.#options;
    this.#processes += 1;
    const name = `process-${this.#processes}`;
    const watched = this.journal.watch(this.#store, name);
    const process: TestProcess = new TestProcess({
      name,
      store: store?.(watched, this.time) ?? watched,
      ...{ definitions: this.#options.definitions, participants: this.#participants, config: this.config },
      seed: seed * 1_000 + this.#processes,
      ...{ time: this.time, log: this.log, items: this.#options.items ?? null },
      faultOf: (place) => faultOf?.(place) ?? this.faults.next(place),
      runOf: (id) => {
        const run = this.memory.runs.get(id);
        // Items of a batch are in its chunks.
        return { saga: run?.definition ?? "", isJournaled: run?.type !== "batch" };
      },
      waits: (run, [signal, options]) => this.#noteWait(run, String(signal), options),
      onWrite: (when) => onWrite?.(when, process),
    });
    this.#process = process;
    process.onDeath(() => {
      if (!this.#closed) this.#start();
    });
    process.manager.open().catch((error: unknown) => this.breaches.check(() => raise(error)));
  }

  /** It may be called something else than its signal, so that a function can wait for one signal twice. */
  #noteWait(run: string, signal: string, options: unknown): void {
    const named = typeof options === "object" && options !== null && "name" in options ? String(options.name) : signal;
    this.functionWaits.set(`${run} ${named}`, { run, signal });
  }

  get #hasLease(): boolean {
    this.breaches.raise();
    const now = this.time.clock.now();
    return [...this.memory.workers.values()].some(
      ({ label, dead, expiresAt }) => label === this.#process?.name && !dead && expiresAt > now,
    );
  }

  #quietUntil(): number | null {
    if (this.#isChoreographed || this.#requests > 0 || !this.#hasLease) return null;
    return quietUntil(this.runs, this.time.clock.now());
  }
}

export function isSettled(status: StoredRun["status"]): boolean {
  return END_STATUSES.includes(status) || status === "stuck" || status === "paused";
}

function raise(error: unknown): never {
  throw error;
}
