import type { Broker } from "../broker/broker.js";
import { createLocalBroker } from "../brokers/local/index.js";
import { Choreography } from "../choreography/choreography.js";
import type { EventParticipant } from "../choreography/event-participant.js";
import { startedEvent } from "../choreography/run-events.js";
import type { SagaEvents } from "../choreography/saga-events.js";
import type { SessionConfig } from "../config.js";
import type { JournalRow } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { type Logger, silentLogger } from "../log.js";
import { instanceViews } from "../operator/instance-views.js";
import { queueViews } from "../operator/queue-views.js";
import { RunActions } from "../operator/run-actions.js";
import { RunQueries } from "../operator/run-queries.js";
import { RunSignals } from "../operator/run-signals.js";
import type { DefinitionView, InstanceView, RunEvent, RunView } from "../operator/views.js";
import type { Participant } from "../participants/participant.js";
import { type Ports, systemPorts, uuidV7 } from "../ports.js";
import type { ContextSessions } from "../store/context-sessions.js";
import type { Checkpoint, CreateRun, RunStore } from "../store/run-store.js";
import { NewRuns } from "../worker/new-runs.js";
import { RetentionSweep } from "../worker/retention-sweep.js";
import { RunNotifier } from "../worker/run-notifier.js";
import { Worker } from "../worker/worker.js";
import { attributesOf } from "./attributes.js";
import { checkedInput, hashOfInput } from "./checked-input.js";
import type { SagaDefinition } from "./definition.js";
import type {
  ListRuns,
  QueueView,
  RunListPage,
  SagaHealth,
  SagaManager,
  SagaMetrics,
  SignalRequest,
  StartedRun,
  StartOptions,
  VerbRequest,
} from "./manager.js";
import { type Placing, placingOf } from "./placing.js";
import { type Definition, Registry } from "./registry.js";
import { checkReplay, isReplay, startedStatus } from "./replay.js";

export interface SagaManagerOptions {
  /** Opened and closed by the manager. */
  readonly store: RunStore;
  /** Of several versions of one name the last one starts new runs; the others finish theirs. */
  readonly definitions: readonly Definition[];
  /** By the service names that stages use. */
  readonly participants: Readonly<Record<string, Participant>>;
  /** From `resolveConfig`. */
  readonly config: SessionConfig;
  /** Keeps a hot copy of runs' contexts as sessions; without it journal and snapshots alone hold them. */
  readonly contexts?: ContextSessions;
  /** Shown to operators. Default: the process id. */
  readonly label?: string;
  /** Clock, timers and chance. Default: the system's. */
  readonly ports?: Ports;
  /** Default: silent. */
  readonly logger?: Logger;
  /**
   * Carries the events of choreographed sagas, which a relay brings it from the store's outbox. Opened and closed by the manager. Default: the
   * local one, which is that outbox.
   */
  readonly broker?: Broker;
  /** False: whoever gives the broker relays to it what is in the outbox. Default: the manager does. */
  readonly relays?: boolean;
  /** Stages of choreographed sagas of other services, which this one performs. Of several for one stage the last one begins new ones. Default: none. */
  readonly eventParticipants?: readonly EventParticipant[];
  /**
   * Name of this service among those that share the broker, the same for all its instances: `A-Z a-z 0-9 _ -`, at most 64 characters.
   * With it the service takes the events of the sagas and stages that it knows, without it all. Needed where there are
   * `eventParticipants` and a broker. Default: it has the broker's events for itself, but for those who give a name.
   */
  readonly eventGroup?: string;
  /** Runs driven at once in this process. Default 1,000. */
  readonly maxRuns?: number;
  /** How often the store is asked for due runs, ms. Default 500. */
  readonly pollMs?: number;
}

/** Nothing is opened yet. Error: `definition-invalid` when a stage's service has no participant. */
export function createSagaManager(options: SagaManagerOptions): SagaManager {
  return new StoreSagaManager(options);
}

const DEFAULT_GRACE_MS = 10_000;
/** Definitions of stranded runs that health names. */
const MAX_NAMED = 10;

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
  readonly #sweep: RetentionSweep;
  readonly #signals: RunSignals;
  readonly #choreography: Choreography | null;
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
    });
    this.#newRuns = new NewRuns({ store, plans: this.#registry, worker: this.#worker, ports, logger });
    store.listen?.((hint) => this.#worker.hear(hint));
    const poke = (run: string): void => this.#worker.pokeInbox(run);
    this.#sweep = new RetentionSweep({
      ...{ store, ports, logger, endedMs: config.retention.endedMs },
      now: () => this.#worker.storeNow,
    });
    this.#choreography = this.#choreographer(options);
    this.#actions = new RunActions({ store, ports, registry: this.#registry, poke });
    this.#signals = new RunSignals({ store, ports, poke });
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
    await this.#choreography?.open();
    if (this.#closed === null) this.#sweep.start();
  }

  close(graceMs = DEFAULT_GRACE_MS): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    if (this.#opened === null) return this.#newRuns.close();
    await this.#opened.catch(() => {});
    await this.#sweep.stop();
    await this.#choreography?.close(graceMs);
    this.#newRuns.close();
    await this.#worker.stop(graceMs);
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
    const placing = await placingOf(definition, input, options, {
      isLimited: (queue) => this.#registry.isLimited(queue),
      now: () => this.#store.now(),
    });
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

  /** With the first row of its journal, when this process may drive it: one write starts it. */
  #newRun(definition: SagaDefinition, input: Json, options: StartOptions, placing: Placing): CreateRun {
    // The user's code may throw: before anything is taken that would have to be given back.
    const attributes = attributesOf(definition, input, options.attributes);
    const { name, version, style, runType = "saga" } = definition;
    const isChoreographed = style === "choreography";
    const { limited, delayMs, debounce } = placing;
    const isAtOnce = !limited && delayMs === 0 && debounce === null;
    const newId = (): string => uuidV7(this.#ports);
    const id = isChoreographed && this.#choreography !== null ? this.#choreography.nearId(newId) : newId();
    // One literal, here and wherever a run passes with each step: an object put together of spread parts takes several
    // times the memory, and collecting it was a third of all that a run costs this process.
    const run: CreateRun = {
      id,
      tenant: options.tenant ?? "default",
      type: runType,
      definition: name,
      version,
      key: options.idempotencyKey ?? null,
      inputHash: hashOfInput(input),
      businessKey: options.businessKey ?? null,
      attributes,
      sessionId: options.sessionId ?? null,
      queue: placing.queue,
      partitionKey: placing.partitionKey,
      priority: placing.priority,
      input,
      rootId: id,
      parentId: null,
      restartedFrom: null,
      restart: options.ifExists === "restart-if-failed",
      claim: isAtOnce ? this.#newRuns.claim(id, name, version) : null,
    };
    if (!isAtOnce) return { ...run, limited, delayMs, ...(debounce !== null && { debounce }) };
    if (!isChoreographed) return run;
    return { ...run, events: [startedEvent(run, this.#ports.clock.now())] };
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

  watch(id: string, signal: AbortSignal): AsyncIterable<RunEvent> {
    return this.#queries.watch(id, signal);
  }

  act(id: string, verb: string, request: VerbRequest): Promise<void> {
    return this.#actions.act(id, verb, request);
  }

  signal(id: string, name: string, payload: Json, request: SignalRequest): Promise<void> {
    return this.#signals.send(id, name, payload, request);
  }

  queues(): Promise<readonly QueueView[]> {
    return queueViews(this.#store, this.#registry.queues);
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

  async health(): Promise<SagaHealth> {
    const worker = this.#worker.state;
    try {
      await this.#store.ping();
      // One that answers and has no room, for example.
      const outage = this.#newRuns.outage ?? this.#worker.outage;
      if (outage !== null)
        return { ok: false, worker, store: "down", detail: `runs wait, nothing is written: ${outage}` };
      // Runs go on where they are, and no further.
      const events = this.#choreography?.outage ?? null;
      const detail = events === null ? await this.#strandedDetail() : `events wait: ${events}`;
      return { ok: worker !== "stopped" && events === null, worker, store: "up", detail };
    } catch (error) {
      return { ok: false, worker, store: "down", detail: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Runs left alone because nobody here has their definition: said, not hidden. */
  async #strandedDetail(): Promise<string | null> {
    const stranded = await this.#store.stranded(this.#registry.list());
    if (stranded.length === 0) return null;
    const named = stranded
      .slice(0, MAX_NAMED)
      .map(({ definition, version, runs }) => `${definition}@${version} (${runs})`);
    const more = stranded.length > MAX_NAMED ? `, and ${stranded.length - MAX_NAMED} more` : "";
    return `runs wait for definitions that are not registered here: ${named.join(", ")}${more}`;
  }

  async metrics(): Promise<SagaMetrics> {
    const { stepsCompleted, stepsFailed, stepsRetried, compensations, appends, leaseLost } = this.#worker.counters;
    const [runsByStatus, stranded, queues] = await Promise.all([
      this.#store.count(),
      this.#store.stranded(this.#registry.list()),
      this.queues(),
    ]);
    return {
      runsByStatus,
      parkedRuns: (runsByStatus.stuck ?? 0) + (runsByStatus.paused ?? 0),
      strandedRuns: stranded.reduce((sum, { runs }) => sum + runs, 0),
      activeRuns: this.#worker.activeRuns,
      flushes: this.#worker.flushes,
      queues,
      events: this.events?.counts ?? null,
      ...{ stepsCompleted, stepsFailed, stepsRetried, compensations, appends, leaseLost },
    };
  }
}

/**
 * All instances of a service are one group, and take all of its events: those of an instance that knows no more than it did, during a
 * deployment, would else pass by what the others are waiting for. Of a broker that services share they take what they know: there the
 * newest instance decides what that is, for all of them.
 */
function eventGroupOf({ eventGroup, eventParticipants = [], broker }: SagaManagerOptions, registry: Registry) {
  if (eventGroup !== undefined) return { group: eventGroup, subjects: registry.choreographySubjects };
  if (broker === undefined || eventParticipants.length === 0) return { group: "choreography", subjects: [">"] };
  const message = "expected an eventGroup beside eventParticipants and a broker, got none; give the service's name";
  throw new RuntimeError("config-invalid", message, { key: "eventGroup" });
}
