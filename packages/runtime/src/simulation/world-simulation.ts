import { createHash } from "node:crypto";
import type { SessionConfig } from "../config.js";
import { isObject } from "../json.js";
import type { Participant } from "../participants/participant.js";
import type { SagaDefinition } from "../saga/definition.js";
import { Registry } from "../saga/registry.js";
import { createContextSessions } from "../session/context.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore, createMemorySessionStore, createMemoryWorld } from "../stores/memory/index.js";
import { createManualClock } from "../testing/manual-clock.js";
import { InvariantBroken } from "./invariant-broken.js";
import { SeededRandom } from "./seeded-random.js";
import { watchAppends } from "./world/append-watch.js";
import { Breaches } from "./world/breaches.js";
import { CallWatch } from "./world/call-watch.js";
import { Clients } from "./world/clients.js";
import { jumpClocks, randomSkew } from "./world/clock-jumps.js";
import { ContextWatch } from "./world/context-watch.js";
import { CrashWatch } from "./world/crash-watch.js";
import { EffectWatch } from "./world/effect-watch.js";
import { Faults } from "./world/faults.js";
import { JournalWatch } from "./world/journal-watch.js";
import { Operators } from "./world/operators.js";
import { LEADING, Patience } from "./world/patience.js";
import type { Planted } from "./world/planted.js";
import { Poison } from "./world/poison.js";
import { ProcessClock } from "./world/process-clock.js";
import { randomConfig } from "./world/random-config.js";
import { randomDefinitions } from "./world/random-definitions.js";
import { RetentionWatch } from "./world/retention-watch.js";
import { Services } from "./world/services.js";
import { Signalers } from "./world/signalers.js";
import { SimulatedProcess } from "./world/simulated-process.js";
import { StartWatch } from "./world/start-watch.js";
import { unsettled } from "./world/unsettled.js";
import { Wire } from "./world/wire.js";
import { WorldTime } from "./world/world-time.js";

export interface WorldReport {
  readonly seed: number;
  readonly virtualMs: number;
  readonly runs: number;
  readonly rows: number;
  readonly calls: number;
  /** Commits of steps' transactions that reached the store. */
  readonly transactions: number;
  readonly processes: number;
  readonly checks: number;
  /** How often each invariant was judged, by its number. */
  readonly judged: ReadonlyMap<number, number>;
  readonly ends: ReadonlyMap<string, number>;
  /** Records by kind. */
  readonly records: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  /** Of all journals: two simulations of one seed have the same. */
  readonly digest: string;
}

/** Once nothing goes wrong any more, everything comes to its end within this time. */
const SETTLE_MS = 40 * 60_000;

/**
 * One seeded life of the whole runtime in virtual time, the same each time: managers as processes that crash, pause, close and
 * come back, with clocks that are wrong; a store and services that fail in every way; clients and operators. First the
 * faults, then calm; then every run must have ended or be parked in sight, and nothing may be left in memory. Throws
 * the first breach of an invariant of ARCHITECTURE.md, with the seed.
 */
export class WorldSimulation {
  readonly #seed: number;
  readonly #planted: Planted;
  readonly #random: SeededRandom;
  /** For what was added later, so that it changes no more than it must. */
  readonly #more: SeededRandom;
  readonly #clock = createManualClock();
  readonly #world = createMemoryWorld();
  readonly #breaches = new Breaches();
  readonly #time = new WorldTime(this.#clock, this.#breaches);
  readonly #faults: Faults;
  readonly #config: SessionConfig;
  readonly #definitions: readonly SagaDefinition[];
  readonly #journal: JournalWatch;
  readonly #calls: CallWatch;
  readonly #contexts: ContextWatch;
  readonly #services: Services;
  readonly #effects: EffectWatch;
  readonly #clients: Clients;
  readonly #operators: Operators;
  readonly #signalers: Signalers;
  readonly #crashes: CrashWatch;
  readonly #starts: StartWatch;
  readonly #retention: RetentionWatch;
  readonly #processes: SimulatedProcess[] = [];
  readonly #server: RunStore;
  readonly #sessions = createMemorySessionStore({ clock: this.#clock });
  readonly #withContexts: boolean;
  readonly #timeoutMs: number;
  readonly #pollMs: number;
  readonly #maxRuns: number;
  #checking = false;
  /** Runs that no operator will look after. */
  readonly #leftAlone = new Set<string>();
  readonly #patience = new Patience();

  constructor(seed: number, planted: Planted = {}) {
    this.#seed = seed;
    this.#planted = planted;
    const random = new SeededRandom(seed);
    this.#random = random;
    const more = new SeededRandom(seed + 1_000_000_007);
    this.#more = more;
    this.#config = randomConfig(random, more);
    this.#timeoutMs = 1_000 + random.below(2_000);
    this.#pollMs = 200 + random.below(800);
    this.#maxRuns = random.chance(0.3) ? 1 + random.below(4) : 50;
    this.#withContexts = random.chance(0.6);
    this.#faults = new Faults(random, this.#config.recovery.leaseMs);
    this.#definitions = randomDefinitions(random, more, this.#faults);

    const breaches = this.#breaches;
    const named: Participant = { description: "", timeoutMs: this.#timeoutMs, perform: never, compensate: never };
    const registry = new Registry(this.#definitions, { service: named }, this.#config);
    const findPlan = (name: string, version: string) => {
      const plan = registry.find(name, version);
      if (plan === undefined) throw new Error(`expected a plan of ${name}@${version}`);
      return plan;
    };
    this.#journal = new JournalWatch(this.#world, findPlan, breaches);
    this.#calls = new CallWatch(this.#clock, this.#world, this.#journal, breaches);
    this.#contexts = new ContextWatch(this.#journal, this.#world, breaches, this.#config.checkpoint.enabled);
    this.#operators = new Operators(random, this.#journal, breaches);
    this.#crashes = new CrashWatch(this.#world, this.#journal, breaches);
    const { leaseMs } = this.#config.recovery;
    this.#starts = new StartWatch(this.#world, this.#clock, this.#journal, { breaches, leaseMs });
    this.#retention = new RetentionWatch(this.#world, this.#clock, breaches, this.#config.retention.endedMs);
    const poison = new Poison({
      ...{ clock: this.#clock, random: more, faults: this.#faults },
      kill: (process, run) => this.#kill(process, run),
    });
    this.#services = new Services({
      ...{ clock: this.#clock, random, faults: this.#faults, calls: this.#calls, contexts: this.#contexts },
      ...{ poison, timeoutMs: this.#timeoutMs },
    });
    const ledgerOf = (run: string) => this.#services.ledgerOf(run);
    this.#effects = new EffectWatch({ world: this.#world, journal: this.#journal, breaches, ledgerOf });
    const people = {
      clock: this.#clock,
      random,
      journal: this.#journal,
      breaches,
      runs: () => [...this.#retention.deleted.values(), ...this.#world.runs.values()],
      pickProcess: () => this.#pickProcess(),
    };
    this.#clients = new Clients(people);
    this.#signalers = new Signalers({ ...people, runs: () => [...this.#world.runs.keys()] });
    const shape = new SeededRandom(seed + 2_000_000_011);
    const lanes = { count: 1 + shape.below(3), worth: 1 + shape.below(2) };
    const store = { ...createMemoryRunStore({ world: this.#world, clock: this.#clock, workers: "many" }), lanes };
    const served = planted.server?.(store, this.#world) ?? store;
    const watched = this.#starts.watch(this.#retention.watch(served));
    this.#server = this.#signalers.watch(this.#operators.watch(watched));
  }

  async run(): Promise<WorldReport> {
    try {
      await this.#live();
    } catch (error) {
      throw new Error(`seed ${this.#seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    const ends = new Map<string, number>();
    for (const { state } of this.#journal.runs.values()) {
      const end = state.end?.status ?? (state.paused ? "paused" : "stuck");
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    return {
      ...{ seed: this.#seed, virtualMs: this.#clock.monotonic(), ends, faults: this.#faults.counts },
      records: this.#journal.records(),
      ...{
        runs: this.#journal.runs.size,
        rows: this.#journal.rows,
        calls: this.#calls.calls,
        transactions: this.#effects.commits,
      },
      ...{ processes: this.#processes.length, checks: this.#breaches.checks },
      judged: this.#breaches.judged,
      digest: createHash("sha256")
        .update(JSON.stringify([...this.#world.runs]))
        .digest("hex"),
    };
  }

  async #live(): Promise<void> {
    const random = this.#random;
    await this.#server.open();
    await this.#sessions.open();
    const managers = 1 + random.below(4);
    for (let index = 0; index < managers; index++) this.#openProcess();
    const chaosMs = 10_000 + random.below(50_000);
    const starts = 1 + random.below(8);
    for (let index = 0; index < starts; index++) {
      const { name } = random.pick(this.#definitions);
      this.#clock.after(random.below(chaosMs), () => void this.#clients.start(name, `key-${index}`));
      if (this.#more.chance(0.4))
        this.#clock.after(this.#more.below(chaosMs), () => void this.#clients.restart(name, `key-${index}`));
    }
    this.#chaos(managers);
    jumpClocks(this.#seed, this.#clock, this.#faults, () => this.#alive());
    this.#signalers.start();
    const calmAt = this.#clock.now() + chaosMs;
    await this.#time.pass(() => this.#clock.now() >= calmAt, "the chaos to pass");

    this.#becalm();
    this.#lookAfterStuckRuns();
    await this.#settle();
    // Late requests and late effects arrive as well; a run that one of them starts is like any other.
    await this.#pass(60_000, "late messages");
    await this.#settle();
    this.#signalers.stop();
    const { endedMs } = this.#config.retention;
    await this.#pass(endedMs === null ? 60_000 : endedMs + 180_000, "what has ended to be deleted");
    await this.#checkAtEnd();
  }

  #openProcess(): void {
    const random = this.#random;
    const skewMs = random.chance(0.5) ? randomSkew(random) : 0;
    const name = `process-${this.#processes.length + 1}`;
    const clock = new ProcessClock(this.#clock, skewMs, random.below(1_000_000));
    const wire = new Wire(this.#clock, clock, this.#faults);
    const store = wire.connectStore(this.#effects.watch(this.#journal.watch(this.#server, name)));
    const sent = watchAppends(
      { ...store, close: async () => wire.close() },
      {
        ...{ world: this.#world, breaches: this.#breaches },
        onParked: (append) => this.#contexts.onParked(append),
        onSent: (append) => this.#contexts.onSent(append),
      },
    );
    const participant = this.#services.seenBy(name, clock);
    const contexts = wire.connect(createContextSessions({ store: this.#sessions, config: this.#config.context }));
    const planted = this.#planted;
    const process = new SimulatedProcess(
      name,
      clock,
      { clock: this.#clock, random },
      {
        store: planted.store?.(sent) ?? sent,
        definitions: planted.definition === undefined ? this.#definitions : this.#definitions.map(planted.definition),
        participants: { service: planted.participant?.(participant) ?? participant },
        config: this.#config,
        ...(this.#withContexts && { contexts: planted.contexts?.(contexts) ?? contexts }),
        ports: { clock: planted.clock?.(clock) ?? clock, random: new SeededRandom(random.below(2 ** 32)) },
        maxRuns: this.#maxRuns,
        pollMs: this.#pollMs,
      },
    );
    this.#processes.push(process);
    void process.open();
  }

  #kill(name: string, run: string): void {
    this.#faults.count("crash by a run");
    this.#crashes.died(name, run);
    this.#processes.find((process) => process.name === name)?.crash();
  }

  #alive(): SimulatedProcess[] {
    return this.#processes.filter(({ state }) => state === "opening" || state === "open");
  }

  #pickProcess(): SimulatedProcess | null {
    const open = this.#processes.filter(({ state }) => state === "open");
    return open.length === 0 ? null : this.#random.pick(open);
  }

  /** One thing after the other goes wrong, until calm. */
  #chaos(managers: number): void {
    this.#clock.after(200 + this.#random.below(4_000), () => {
      if (this.#faults.isCalm) return;
      this.#disturb(managers);
      this.#chaos(managers);
    });
  }

  #disturb(managers: number): void {
    const random = this.#random;
    const process = this.#pickProcess();
    const dice = random.float();
    if (this.#alive().length < managers && random.chance(0.5)) return this.#openProcess();
    if (dice < 0.12 && process !== null) {
      this.#faults.count("crash");
      process.crash();
    } else if (dice < 0.25 && process !== null && !process.clock.isPaused) {
      this.#faults.count("pause");
      process.clock.pause();
      this.#clock.after(random.below(2.5 * this.#config.recovery.leaseMs), () => process.clock.resume());
    } else if (dice < 0.35 && process !== null) {
      this.#faults.count("close");
      void process.close(random.chance(0.3) ? 0 : random.below(5_000), () => this.#checkLeftNothing(process));
    } else if (dice < 0.4) {
      this.#faults.setOutage(true);
      this.#clock.after(random.below(2 * this.#config.recovery.leaseMs), () => this.#faults.setOutage(false));
    } else if (process !== null) this.#operate(process);
  }

  #operate(process: SimulatedProcess): void {
    const { known } = this.#clients;
    if (known.length === 0) return;
    const verbs = ["cancel", "pause", "pause", "compensate", ...LEADING] as const;
    void this.#operators.act(process, this.#random.pick(known), verbs);
  }

  #becalm(): void {
    this.#faults.calm();
    for (const { clock } of this.#processes) clock.resume();
    if (this.#alive().length === 0) this.#openProcess();
  }

  async #settle(): Promise<void> {
    const settledBy = this.#clock.now() + SETTLE_MS;
    await this.#time.pass(() => {
      const open = unsettled(this.#world, this.#leftAlone);
      if (this.#clock.now() > settledBy) throw new InvariantBroken(6, open);
      return this.#clients.open === 0 && open === "";
    }, "every run to end or to be parked");
  }

  #pass(ms: number, what: string): Promise<void> {
    const until = this.#clock.now() + ms;
    return this.#time.pass(() => this.#clock.now() >= until, what);
  }

  #lookAfterStuckRuns(): void {
    this.#clock.after(2_000, () => {
      if (this.#checking) return;
      const process = this.#pickProcess();
      for (const run of this.#world.runs.values()) {
        const isParked = run.status === "stuck" || run.status === "paused";
        if (!isParked || process === null || this.#leftAlone.has(run.id)) continue;
        // Whoever waits for a child would wait for ever.
        if (run.parentId === null && this.#random.chance(0.2)) this.#leftAlone.add(run.id);
        else void this.#operators.act(process, run.id, this.#patience.verbsFor(run.id));
      }
      if (this.#alive().length === 0) this.#openProcess();
      this.#lookAfterStuckRuns();
    });
  }

  async #checkAtEnd(): Promise<void> {
    this.#checking = true;
    this.#signalers.checkAtEnd();
    this.#effects.checkAll();
    this.#journal.family.checkAtEnd((run) => this.#services.ledgerOf(run), this.#retention.deleted);
    this.#clients.checkAtEnd();
    this.#starts.checkAtEnd();
    this.#retention.checkAtEnd();
    this.#operators.checkAtEnd();
    for (const process of this.#processes.filter(({ state }) => state === "open")) await this.#checkProcess(process);
    for (const { name, clock, state } of this.#processes)
      this.#breaches.expect(clock.pending === 0, 12, () => `${name}, ${state}, still has ${clock.pending} timers`);
    this.#breaches.raise();
  }

  /** It remembers nothing of runs that have ended, shows what was written, and leaves nothing behind when it closes. */
  async #checkProcess(instance: SimulatedProcess): Promise<void> {
    const { name, clock } = instance;
    const metrics = await this.#time.until(instance.ask((manager) => manager.metrics(), null));
    const active = metrics !== null && "value" in metrics ? metrics.value.activeRuns : Number.NaN;
    this.#breaches.expect(active === 0, 12, () => `${name} still drives ${active} runs`);
    // The next renewal, that of contexts, the next poll, the next sweep, the time of a run once parked here, and those who wait
    // for a run that stays parked.
    const due = 4 + Number(this.#withContexts) + this.#clients.waitingAt(instance);
    this.#breaches.expect(clock.pending <= due, 12, () => `${name} waits with ${clock.pending} timers for nothing`);
    for (const id of this.#clients.known.filter((each) => !this.#retention.deleted.has(each))) {
      const asked = await this.#time.until(instance.ask((manager) => manager.get(id), null));
      const context = asked !== null && "value" in asked ? asked.value.context : null;
      if (isObject(context)) this.#contexts.checkSeen(id, context, "a reader");
      else this.#breaches.expect(false, 1, () => `${name} cannot show run ${id}`);
    }
    await this.#time.until(instance.close(10_000, () => this.#checkLeftNothing(instance)));
  }

  #checkLeftNothing({ name, clock }: SimulatedProcess): void {
    this.#breaches.expect(
      clock.pending === 0,
      12,
      () => `${name} leaves ${clock.pending} timers behind when it closes`,
    );
  }
}

function never(): Promise<never> {
  return Promise.reject(new Error("expected no call"));
}
