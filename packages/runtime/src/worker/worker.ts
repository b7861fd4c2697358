import { entrance } from "../choreography/entrance.js";
import type { Message } from "../engine/messages.js";
import type { JournalRecord, JournalRow } from "../engine/records.js";
import type { JsonObject } from "../json.js";
import { type CancelTimer, sleep } from "../ports.js";
import type { Append, AppendResult, ClaimedRun, InboxEntry, RunRow, RunStore, StoreHint } from "../store/run-store.js";
import { BatchSteps } from "./batch-steps.js";
import { ChildRuns } from "./child-runs.js";
import { CoalescingQueue } from "./coalescing-queue.js";
import { ContextOwner } from "./context-owner.js";
import { Counters } from "./counters.js";
import { inheritance, undoesAnother } from "./inheritance.js";
import { Isolation } from "./isolation.js";
import { LeaseKeeper } from "./lease-keeper.js";
import { NO_CONTEXT, type RestoredContext, restoredContext } from "./restored-context.js";
import { type Gone, RunDriver } from "./run-driver.js";
import type { WorkerEnvironment } from "./worker-environment.js";
import type { WorkerOptions } from "./worker-options.js";

export type { PlanRegistry, WorkerOptions } from "./worker-options.js";

const CLAIM_BATCH = 100;

/**
 * Claims due runs and drives them while it holds the lease. Polling is what finds work; pokes only make it faster.
 * A store that does not answer is asked again; nothing is performed once the lease cannot be trusted.
 */
export class Worker {
  readonly counters = new Counters();
  readonly #options: Required<WorkerOptions>;
  readonly #lease: LeaseKeeper;
  readonly #contextOwner: ContextOwner | null;
  readonly #appends: CoalescingQueue<Append, AppendResult>;
  readonly #drivers = new Map<string, RunDriver>();
  /** Runs that were left while a row of theirs was on its way: nothing is written to them here until it is known what became of it. */
  readonly #inDoubt = new Set<string>();
  /** Runs being created with a claim: ours if the reply is lost. */
  readonly #creating = new Set<string>();
  readonly #isolation = new Isolation(
    () => this.#drivers.values(),
    () => this.#creating.size > 0,
  );
  readonly #environment: WorkerEnvironment;
  readonly #appendIds: string;
  #appendsNamed = 0;
  /** What was driven when the renewal was sent: its answer says nothing about runs that came later. */
  #drivenAtRenewal: ReadonlyMap<string, RunDriver> = new Map();
  /** Runs that have ended here since, or were given back: the answer may take them for this worker's. */
  readonly #leftSinceRenewal = new Set<string>();
  /** While a claim is under way the store may own us runs that we cannot know yet. */
  #claiming = false;
  #stop = new AbortController();
  #wake: () => void = () => {};
  #poked = false;
  #loop: Promise<void> | null = null;
  #onIdle: () => void = () => {};
  /** When a run parked here falls due: the earliest of them; polls find the others. */
  #pokeAt = Number.POSITIVE_INFINITY;
  #cancelPoke: CancelTimer = () => {};

  constructor(options: WorkerOptions) {
    this.#options = { maxRuns: 1_000, pollMs: 500, parkAfterMs: 5_000, emitted: () => {}, onBatch: () => {}, onLost: () => {}, ...options };
    const { store, ports, logger, config, label } = this.#options;
    this.#appends = new CoalescingQueue({
      ...{ name: "appends", ports, logger, send: (appends: readonly Append[]) => store.append(appends) },
      ...(store.lanes !== undefined && { lanes: store.lanes }),
    });
    this.#appendIds = Buffer.from(ports.random.bytes(9)).toString("base64url");
    this.#lease = new LeaseKeeper({
      ...{ store, ports, logger, label, leaseMs: config.recovery.leaseMs },
      runs: () => {
        this.#drivenAtRenewal = new Map(this.#drivers);
        this.#leftSinceRenewal.clear();
        return [...this.#drivers.keys(), ...this.#creating];
      },
      onRenewed: (result) => this.#reconcile(result.adopted, result.lost, result.inbox),
      onLost: () => {
        this.#abandonAll();
        this.#options.onLost();
      },
    });
    const { contexts } = options;
    this.#contextOwner =
      contexts &&
      new ContextOwner({
        ...{ contexts, store, ports, logger, leaseMs: config.recovery.leaseMs, ttlMs: config.context.ttlMs },
        id: () => this.#lease.id,
        isDriven: (run) => this.#drivers.has(run),
        hot: () => [...this.#drivers.values()].filter(({ hasHotCopy }) => hasHotCopy).length,
      });
    this.#environment = {
      ...{
        ports,
        logger,
        config,
        participants: options.participants,
        children: new ChildRuns({ store, newRun: options.plans.newRun, poke: (run) => this.pokeInbox(run) }),
        batches: new BatchSteps({ store: store.batches, opened: () => this.#options.onBatch() }),
        contexts: options.contexts,
        notifier: options.notifier,
      },
      counters: this.counters,
      isolation: this.#isolation,
      parkAfterMs: this.#options.parkAfterMs,
      append: (append, recipient) => {
        this.counters.appends += 1;
        this.#appends.send(append, recipient);
      },
      settled: (run) => {
        // It may be ours still, and driven by nobody.
        if (this.#inDoubt.delete(run)) void this.#lease.renew();
      },
      begin: store.begin === undefined ? null : () => (store.begin as NonNullable<RunStore["begin"]>)(),
      appendId: () => this.appendId(),
      storeNow: () => this.#lease.storeNow(),
      trusted: () => this.#lease.trusted(),
      workerId: () => this.#lease.id,
      isCrowded: () => 2 * this.#drivers.size > this.#options.maxRuns,
      lookIntoInbox: () => void this.#lease.renew(),
      messaged: (run) => this.pokeInbox(run),
      emitted: this.#options.emitted,
    };
  }

  get state(): "active" | "standby" | "stopped" {
    return this.#lease.state;
  }

  /** The store's clock, as far as it can be told from here; null without a lease. */
  get storeNow(): number | null {
    return this.#lease.trusted() ? this.#lease.storeNow() : null;
  }

  /** Why the store takes nothing of this worker; null while it does. */
  get outage(): string | null {
    return this.#appends.outage ?? this.#lease.outage;
  }

  /** Under which it owns runs and chunks; another one once the store declared it dead. */
  get id(): string {
    return this.#lease.id;
  }

  /** False: its lease may have expired. */
  get trusted(): boolean {
    return this.#lease.trusted();
  }

  get activeRuns(): number {
    return this.#drivers.size;
  }

  get flushes(): number {
    return this.#appends.flushes;
  }

  drives(run: string): boolean {
    return this.#drivers.has(run);
  }

  /** Short, for it is written with every row: chance for this worker, and a number. */
  appendId(): string {
    this.#appendsNamed += 1;
    return `${this.#appendIds}${this.#appendsNamed.toString(36)}`;
  }

  async start(): Promise<void> {
    await this.#lease.start();
    this.#contextOwner?.start();
    this.#loop = this.#claimLoop(this.#stop.signal);
  }

  /** Lets attempts under way finish for up to `graceMs`, then gives up the lease. */
  async stop(graceMs: number): Promise<void> {
    this.#stop.abort();
    this.#cancelPoke();
    this.#wake();
    await this.#loop;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    for (const driver of [...this.#drivers.values()]) driver.drain();
    if (this.#drivers.size > 0) {
      // Canceled when all are done: a timer left behind would keep the process alive for the whole grace.
      const drained = new AbortController();
      await Promise.race([idle, sleep(this.#options.ports.clock, graceMs, drained.signal)]);
      drained.abort();
    }
    this.#abandonAll();
    this.#appends.close();
    await Promise.all([this.#lease.stop(), this.#contextOwner?.stop()]);
  }

  /** Something may be due: look now instead of at the next poll. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  /** Messages may lie in the inboxes of runs this worker owns, or have made parked runs due. */
  pokeInbox(run: string): void {
    if (this.#drivers.has(run)) void this.#lease.renew();
    else this.poke();
  }

  /** In passing, of a unit of that run; as `RunDriver.hear`. Null also when it is not driven here. */
  tell(run: string, message: Message, isAwaited: boolean): Promise<boolean> | null {
    return this.#drivers.get(run)?.hear(message, isAwaited) ?? null;
  }

  /** What other instances say, if it concerns this one. */
  hear(hint: StoreHint): void {
    if (hint.kind === "due") this.poke();
    else if (hint.kind === "inbox" && this.#drivers.has(hint.run)) void this.#lease.renew();
  }

  /** The worker's id when it may claim a run in the write that creates it; null when others should have it. */
  claimOnCreate(run: string): string | null {
    if (!this.#lease.trusted() || this.#stop.signal.aborted || this.#isolation.isClosed) return null;
    if (this.#drivers.size + this.#creating.size >= this.#options.maxRuns) return null;
    this.#creating.add(run);
    return this.#lease.id;
  }

  /** Follows every `claimOnCreate` that gave an id. `row`: null when the run was not created, or not claimed. */
  created(id: string, run: RunRow | null, row: JournalRow | null): void {
    this.#creating.delete(id);
    if (run !== null && row !== null && !this.#drivers.has(id) && this.#mayDrive(run)) {
      const [first] = row.records;
      const begun = first?.kind === "entered" ? { ...NO_CONTEXT, context: first.context } : NO_CONTEXT;
      this.#add({ run, rows: [row], inbox: [], checkpoint: null }, begun)?.startCreated(row.records);
    }
    this.#isolation.settled();
  }

  async #claimLoop(signal: AbortSignal): Promise<void> {
    const { ports, pollMs } = this.#options;
    while (!signal.aborted) {
      this.#poked = false;
      const more = await this.#claim();
      if (more || this.#poked) continue;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await sleep(ports.clock, pollMs * (0.75 + ports.random.float() / 2), woken.signal);
    }
  }

  /** True when there is probably more to claim. */
  async #claim(): Promise<boolean> {
    const { store, plans, logger, maxRuns } = this.#options;
    const limit = Math.min(CLAIM_BATCH, maxRuns - this.#drivers.size - this.#creating.size);
    // While one run is driven alone the others are better off with other workers.
    if (!this.#lease.trusted() || limit <= 0 || this.#isolation.isClosed) return false;
    this.#claiming = true;
    try {
      const claimed = await store.claim({ worker: this.#lease.id, definitions: plans.list(), limit });
      // At once: a session store that fails slowly then holds up a claim, not each of its runs after the others.
      await Promise.all(claimed.map((each) => this.#take(each, "claimed")));
      return claimed.length === limit;
    } catch (error) {
      logger.warn({ error: String(error) }, "due runs could not be claimed; trying again");
      return false;
    } finally {
      this.#claiming = false;
    }
  }

  async #take(claimed: ClaimedRun, how: "claimed" | "adopted"): Promise<void> {
    const { contexts, logger } = this.#options;
    const restored = await restoredContext(claimed, { contexts, logger, owner: this.#lease.id });
    const inherited = await this.#firstRecord(claimed);
    // Still ours in the store: the next renewal brings it again.
    if (inherited === "unknown" || (how === "adopted" && this.#inDoubt.has(claimed.run.id))) return;
    if (!this.#mayDrive(claimed.run)) return;
    const present = this.#drivers.get(claimed.run.id);
    // Found twice while its context was read: whoever came first drives it.
    if (present !== undefined && present.run.fence >= claimed.run.fence) return;
    present?.abandon();
    const begun =
      inherited !== null && "context" in inherited
        ? { ...NO_CONTEXT, context: inherited.context as JsonObject }
        : restored;
    const driver = this.#add(claimed, begun);
    if (how === "adopted") driver?.adopt();
    if (inherited !== null) driver?.begin(inherited);
    driver?.wake();
  }

  /** What comes before anything else of a run that another one has to do with. */
  async #firstRecord(claimed: ClaimedRun): Promise<JournalRecord | null | "unknown"> {
    const { store, plans, logger } = this.#options;
    const plan = plans.find(claimed.run.definition, claimed.run.version);
    if (plan?.definition.unit !== undefined && !undoesAnother(claimed.run)) return entrance(claimed.run, claimed.rows);
    if (plan === undefined || !undoesAnother(claimed.run)) return null;
    try {
      return await inheritance(store, plan, claimed.run, claimed.rows);
    } catch (error) {
      logger.warn(
        { run: claimed.run.id, error: String(error) },
        "the run to be undone could not be read; trying again",
      );
      return "unknown";
    }
  }

  /** An answer may be old: the lease may have gone since then, and the run with it. */
  #mayDrive(run: RunRow): boolean {
    return this.#lease.trusted() && run.owner === this.#lease.id && !this.#stop.signal.aborted;
  }

  #add(claimed: ClaimedRun, restored: RestoredContext): RunDriver | undefined {
    const plan = this.#options.plans.find(claimed.run.definition, claimed.run.version);
    if (plan === undefined) return undefined;
    try {
      const driver = new RunDriver(this.#environment, plan, claimed, restored, (gone, how, parkedForMs) =>
        this.#gone(gone, how, parkedForMs),
      );
      this.#drivers.set(claimed.run.id, driver);
      return driver;
    } catch (error) {
      this.#options.logger.error(
        { run: claimed.run.id, error: String(error) },
        "the journal of the run cannot be read; the run is left alone",
      );
      return undefined;
    }
  }

  #gone(driver: RunDriver, how: Gone, parkedForMs: number | null): void {
    if (this.#drivers.get(driver.run.id) === driver) this.#drivers.delete(driver.run.id);
    this.#leftSinceRenewal.add(driver.run.id);
    if (driver.hasRowInDoubt) this.#inDoubt.add(driver.run.id);
    if (how === "left") this.#isolation.leaveInDoubt(driver);
    else this.#isolation.leave(driver);
    this.#isolation.settled();
    if (parkedForMs !== null && !this.#stop.signal.aborted) this.#pokeAfter(parkedForMs);
    if (this.#drivers.size === 0) this.#onIdle();
    else if (this.#drivers.size === this.#options.maxRuns - 1) this.poke();
  }

  #pokeAfter(delayMs: number): void {
    const { clock } = this.#options.ports;
    const at = clock.monotonic() + delayMs;
    if (at >= this.#pokeAt) return;
    this.#cancelPoke();
    this.#pokeAt = at;
    this.#cancelPoke = clock.after(delayMs, () => {
      this.#pokeAt = Number.POSITIVE_INFINITY;
      this.poke();
    });
  }

  #reconcile(adopted: readonly ClaimedRun[], lost: readonly string[], inbox: readonly InboxEntry[]): void {
    this.#contextOwner?.follow();
    for (const run of lost) this.#drivenAtRenewal.get(run)?.abandon();
    const ours = new Set(adopted.map(({ run }) => run.id));
    this.#isolation.renewed((run) => ours.has(run) || this.#drivenAtRenewal.has(run));
    if (!this.#claiming) {
      for (const claimed of adopted) {
        const { id } = claimed.run;
        const isKnown = this.#drivers.has(id) || this.#creating.has(id) || this.#leftSinceRenewal.has(id);
        if (!isKnown) void this.#take(claimed, "adopted");
      }
    }
    // To those who were asked for: one that took the run over since then may have found these messages carried out.
    for (const entry of inbox) this.#drivenAtRenewal.get(entry.run)?.deliver([entry]);
    if (inbox.length > 0) this.poke();
  }

  #abandonAll(): void {
    for (const driver of [...this.#drivers.values()]) driver.abandon();
  }
}
