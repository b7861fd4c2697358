import { BatchOperations } from "../batch/batch-operations.js";
import { BatchWorker } from "../batch/batch-worker.js";
import { createLocalBroker } from "../brokers/local/index.js";
import { Choreography } from "../choreography/choreography.js";
import { startedEvent } from "../choreography/run-events.js";
import type { SagaEvents } from "../choreography/saga-events.js";
import type { JournalRow } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { type Logger, silentLogger } from "../log.js";
import { healthOf } from "../operator/health.js";
import { instanceViews } from "../operator/instance-views.js";
import { metricsOf } from "../operator/metrics.js";
import { queueViews } from "../operator/queue-views.js";
import { RunActions } from "../operator/run-actions.js";
import { RunCheckpoints } from "../operator/run-checkpoints.js";
import { RunHeartbeats } from "../operator/run-heartbeats.js";
import { RunQueries } from "../operator/run-queries.js";
import { RunSignals } from "../operator/run-signals.js";
import type {
  CheckpointDiff,
  CheckpointView,
  DefinitionView,
  InstanceView,
  RunEvent,
  RunView,
} from "../operator/views.js";
import { type Ports, systemPorts, uuidV7 } from "../ports.js";
import type { Backfill, BackfillRange, ScheduleRequest, TriggerRequest } from "../schedule/schedule-requests.js";
import type { ScheduleView } from "../schedule/schedule-view.js";
import { Schedules } from "../schedule/schedules.js";
import type { FailedItemPage } from "../store/batch-store.js";
import type { ContextSessions } from "../store/context-sessions.js";
import type { Checkpoint, CreateRun, RunStore } from "../store/run-store.js";
import { NewRuns } from "../worker/new-runs.js";
import { RetentionSweep } from "../worker/retention-sweep.js";
import { RunNotifier } from "../worker/run-notifier.js";
import { Worker } from "../worker/worker.js";
import { attributesOf } from "./attributes.js";
import { checkedInput } from "./checked-input.js";
import type { SagaDefinition } from "./definition.js";
import { eventGroupOf } from "./event-group.js";
import type {
  FailedItemsQuery,
  HeartbeatRequest,
  ListRuns,
  QueueView,
  RestoreCheckpoint,
  RetriedItems,
  RetryFailedRequest,
  RunListPage,
  SagaHealth,
  SagaManager,
  SagaMetrics,
  SignalRequest,
  StartedRun,
  StartOptions,
  VerbRequest,
} from "./manager.js";
import { newRunOf } from "./new-run.js";
import { type Placing, placingOf } from "./placing.js";
import { Registry } from "./registry.js";
import { checkReplay, isReplay, startedStatus } from "./replay.js";
import type { SagaManagerOptions } from "./saga-manager-options.js";

export type { SagaManagerOptions } from "./saga-manager-options.js";

/** Nothing is opened yet. Error: `definition-invalid` when a stage's service has no participant. */
export function createSagaManager(options: SagaManagerOptions): SagaManager {
  return new StoreSagaManager(options);
}

const DEFAULT_GRACE_MS = 10_000;
const DEFAULT_BATCH_POLL_MS = 500;

class StoreSagaManager implements SagaManager {
  readonly #store: RunStore;
  readonly #ports: Ports;
  readonly #logger: Logger;
  readonly #contexts: ContextSessions | null;
  readonly #registry: Registry;
  readonly #notifier: RunNotifier;
  readonly #queries: RunQueries;
  readonly #worker: Worker;
  readonly #newRuns: NewRuns;
  readonly #actions: RunActions;
  readonly #checkpoints: RunCheckpoints;
  readonly #heartbeats: RunHeartbeats;
  readonly #sweep: RetentionSweep;
  readonly #signals: RunSignals;
  readonly #schedules: Schedules;
  readonly #choreography: Choreography | null;
  /** Null: the store keeps no batches. */
  readonly #batches: BatchWorker | null;
  readonly #batchOperations: BatchOperations;
  #opened: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: SagaManagerOptions) {
    const { store, participants, config, ports = systemPorts, logger = silentLogger } = options;
    this.#store = store;
    this.#ports = ports;
    this.#logger = logger;
    this.#contexts = options.contexts ?? null;
    this.#registry = new Registry(options.definitions, participants, config, options.eventParticipants);
    this.#notifier = new RunNotifier(ports.clock);
    const { clock } = ports;
    const drives = (run: string): boolean => this.#worker.drives(run);
    this.#queries = new RunQueries({ store, registry: this.#registry, notifier: this.#notifier, clock, drives });
    this.#worker = new Worker({
      ...{ store, plans: this.#registry, participants, config, ports, logger, notifier: this.#notifier },
      contexts: this.#contexts,
      label: options.label ?? `process ${process.pid}`,
      ...(options.maxRuns !== undefined && { maxRuns: options.maxRuns }),
      ...(options.pollMs !== undefined && { pollMs: options.pollMs }),
      emitted: (events, unread) => this.#choreography?.emitted(events, unread),
      onBatch: () => this.#batches?.poke(),
      onLost: () => this.#batches?.lost(),
    });
    this.#batches = this.#batchWorker(options);
    this.#newRuns = new NewRuns({ store, plans: this.#registry, worker: this.#worker, ports, logger });
    store.listen?.((hint) => this.#worker.hear(hint));
    const poke = (run: string): void => this.#worker.pokeInbox(run);
    this.#sweep = new RetentionSweep({
      ...{ store, ports, logger, endedMs: config.retention.endedMs },
      now: () => this.#worker.storeNow,
    });
    this.#choreography = this.#choreographer(options);
    const inbox = { store, ports, registry: this.#registry, poke };
    this.#actions = new RunActions(inbox);
    this.#checkpoints = new RunCheckpoints(inbox);
    this.#heartbeats = new RunHeartbeats({ ...inbox, beat: (...beat) => this.#worker.beat(...beat) });
    this.#signals = new RunSignals(inbox);
    this.#batchOperations = new BatchOperations({
      store,
      latest: (definition) => this.#registry.latest(definition),
      newId: () => uuidV7(ports),
      claim: (id, definition, version) => this.#newRuns.claim(id, definition, version),
      create: (run) => this.#newRuns.create(run),
      retry: (run, request) => this.#actions.act(run, "retry", request),
      opened: () => this.#batches?.poke(),
    });
    this.#schedules = new Schedules({
      ...{ store, ports, logger, definitions: this.#registry.newest(), canceled: poke },
      isTrusted: () => this.#worker.storeNow !== null,
      newRun: async (definition, value, idempotencyKey, id) => {
        const input = checkedInput(definition, value as Json);
        const placing = await this.#placing(definition, input, {});
        return { ...this.#newRun(definition, input, { idempotencyKey }, placing, id), claim: null };
      },
      began: ({ events }) => {
        this.#worker.poke();
        if (events !== undefined) this.#choreography?.emitted(events);
      },
    });
  }

  open(): Promise<void> {
    if (this.#closed !== null)
      return Promise.reject(
        new RuntimeError("runtime-stopped", "expected a runtime not closed before, got one that was"),
      );
    this.#opened ??= this.#open().catch((error: unknown) => {
      // The store may come yet.
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  async #open(): Promise<void> {
    await this.#store.open();
    await this.#worker.start();
    this.#batches?.start();
    await this.#choreography?.open();
    if (this.#closed !== null) return;
    this.#sweep.start();
    this.#schedules.start();
  }

  close(graceMs = DEFAULT_GRACE_MS): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    if (this.#opened === null) return this.#newRuns.close();
    await this.#opened.catch(() => {});
    await Promise.all([this.#sweep.stop(), this.#schedules.stop()]);
    await this.#choreography?.close(graceMs);
    this.#newRuns.close();
    const beganAt = this.#ports.clock.monotonic();
    // Chunks are owned in the name of the worker, which gives up its lease at its end.
    await this.#batches?.stop(graceMs);
    await this.#worker.stop(Math.max(0, graceMs - (this.#ports.clock.monotonic() - beganAt)));
    await this.#store.close();
    this.#queries.close();
    this.#notifier.close();
  }

  async start(name: string, value: Json, options: StartOptions = {}): Promise<StartedRun> {
    const definition = this.#registry.latest(name);
    const input = checkedInput(definition, value);
    if (this.#opened === null || this.#closed !== null) {
      throw new RuntimeError("runtime-stopped", "expected an open runtime, got a start before open or after close");
    }
    await this.#opened;
    const placing = await this.#placing(definition, input, options);
    const run = this.#newRun(definition, input, options, placing);
    const result = await this.#newRuns.create(run);
    if (result.kind === "rejected")
      throw new RuntimeError(
        "input-invalid",
        `expected an input that the store takes, got one it refused: ${result.reason}`,
      );
    if (result.kind === "created" && run.events !== undefined) this.#choreography?.emitted(run.events);
    const replayed = isReplay(result, run);
    // What is debounced has no key, and goes into a run that waits whatever its input was.
    if (replayed && run.debounce === undefined) checkReplay(result.run, run, options);
    return { id: result.run.id, status: startedStatus(result), replayed };
  }

  #placing(definition: SagaDefinition, input: Json, options: StartOptions): Promise<Placing> {
    return placingOf(definition, input, options, {
      isLimited: (queue) => this.#registry.isLimited(queue),
      now: () => this.#store.now(),
    });
  }

  /** With the first row of its journal, when this process may drive it: one write starts it. One whose id is given is for anybody to take. */
  #newRun(definition: SagaDefinition, input: Json, options: StartOptions, placing: Placing, given?: string): CreateRun {
    // The user's code may throw: before anything is taken that would have to be given back.
    const attributes = attributesOf(definition, input, options.attributes);
    const isChoreographed = definition.style === "choreography";
    const { limited, delayMs, debounce } = placing;
    const isAtOnce = !limited && delayMs === 0 && debounce === null;
    const newId = (): string => uuidV7(this.#ports);
    const id = given ?? (isChoreographed && this.#choreography !== null ? this.#choreography.nearId(newId) : newId());
    const claim = given === undefined && isAtOnce ? this.#newRuns.claim(id, definition.name, definition.version) : null;
    const run = newRunOf({ id, definition, input, attributes, options, placing, claim });
    if (!isAtOnce) return { ...run, limited, delayMs, ...(debounce !== null && { debounce }) };
    if (!isChoreographed) return run;
    return { ...run, events: [startedEvent(run, this.#ports.clock.now())] };
  }

  #batchWorker({
    store,
    participants,
    sources = {},
    pollMs = DEFAULT_BATCH_POLL_MS,
  }: SagaManagerOptions): BatchWorker | null {
    if (store.batches === undefined) return null;
    return new BatchWorker({
      ...{ store: store.batches, runs: store, plans: this.#registry.plans, participants, entities: sources, pollMs },
      ...{ ports: this.#ports, logger: this.#logger },
      workerId: () => this.#worker.id,
      trusted: () => this.#worker.trusted,
      messaged: (run) => this.#worker.pokeInbox(run),
    });
  }

  #choreographer(options: SagaManagerOptions): Choreography | null {
    const { store, broker, relays = true, config } = options;
    if (!this.#registry.isChoreographing) return null;
    const { events } = store;
    if (events === undefined) {
      const message = "expected a store of runs that keeps events, for choreographed sagas, got one that does not";
      throw new RuntimeError("config-invalid", message);
    }
    const ports = this.#ports;
    const logger = this.#logger;
    return new Choreography({
      ...{ store, events, ports, logger, leaseMs: config.recovery.leaseMs },
      isRelayed: broker !== undefined && relays,
      ...eventGroupOf(options, this.#registry),
      broker: broker ?? createLocalBroker({ store: events, now: () => store.now(), ports, logger }),
      find: (saga, version) => this.#registry.choreographed(saga, version),
      newRuns: this.#newRuns,
      poke: (run) => this.#worker.pokeInbox(run),
      tell: (run, event, isAwaited) => this.#worker.tell(run, event, isAwaited),
    });
  }

  wait(id: string, timeoutMs: number): Promise<RunView> {
    return this.#queries.wait(id, timeoutMs);
  }

  get(id: string): Promise<RunView> {
    return this.#queries.get(id);
  }

  list(query: ListRuns): Promise<RunListPage> {
    return this.#queries.list(query);
  }

  journal(id: string): Promise<readonly JournalRow[]> {
    return this.#queries.journal(id);
  }

  checkpoints(id: string): Promise<readonly Checkpoint[]> {
    return this.#queries.checkpoints(id);
  }

  checkpoint(id: string, n: number): Promise<CheckpointView> {
    return this.#checkpoints.inspect(id, n);
  }

  diffCheckpoints(id: string, from: number, to: number): Promise<CheckpointDiff> {
    return this.#checkpoints.diff(id, from, to);
  }

  restoreCheckpoint(id: string, n: number, request: RestoreCheckpoint): Promise<void> {
    return this.#checkpoints.restore(id, n, request);
  }

  watch(id: string, signal: AbortSignal): AsyncIterable<RunEvent> {
    return this.#queries.watch(id, signal);
  }

  act(id: string, verb: string, request: VerbRequest): Promise<void> {
    return this.#actions.act(id, verb, request);
  }

  signal(id: string, name: string, payload: Json, request: SignalRequest): Promise<void> {
    return this.#signals.send(id, name, payload, request);
  }

  failedItems(id: string, query: FailedItemsQuery): Promise<FailedItemPage> {
    return this.#batchOperations.failedItems(id, query);
  }

  retryFailed(id: string, request: RetryFailedRequest): Promise<RetriedItems> {
    return this.#batchOperations.retryFailed(id, request);
  }

  schedules(): Promise<readonly ScheduleView[]> {
    return this.#schedules.list();
  }

  pauseSchedule(name: string, request: ScheduleRequest): Promise<void> {
    return this.#schedules.pause(name, request);
  }

  resumeSchedule(name: string, request: ScheduleRequest): Promise<void> {
    return this.#schedules.resume(name, request);
  }

  backfill(name: string, range: BackfillRange): Promise<Backfill> {
    return this.#schedules.backfill(name, range);
  }

  triggerSchedule(name: string, request: TriggerRequest): Promise<StartedRun> {
    return this.#schedules.trigger(name, request);
  }

  queues(): Promise<readonly QueueView[]> {
    return queueViews(this.#store, this.#registry.queues);
  }

  heartbeat(id: string, stage: string, request: HeartbeatRequest): Promise<void> {
    return this.#heartbeats.send(id, stage, request);
  }

  definitions(): readonly DefinitionView[] {
    return this.#registry.views();
  }

  instances(): Promise<readonly InstanceView[]> {
    return instanceViews({
      store: this.#store,
      contexts: this.#contexts,
      clock: this.#ports.clock,
      logger: this.#logger,
    });
  }

  get events(): SagaEvents | null {
    return this.#choreography?.events ?? null;
  }

  health(): Promise<SagaHealth> {
    return healthOf({
      ...{ store: this.#store, known: this.#registry.list(), worker: this.#worker.state },
      outage: this.#newRuns.outage ?? this.#worker.outage,
      eventOutage: this.#choreography?.outage ?? null,
    });
  }

  metrics(): Promise<SagaMetrics> {
    return metricsOf({
      ...{ store: this.#store, known: this.#registry.list(), worker: this.#worker, batches: this.#batches },
      ...{ queues: this.queues(), schedules: this.#schedules.counts, events: this.events?.counts ?? null },
    });
  }
}
