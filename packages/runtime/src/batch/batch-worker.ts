import type { RunPlan } from "../engine/plan.js";
import type { Json } from "../json.js";
import type { Logger } from "../log.js";
import type { Participant } from "../participants/participant.js";
import { type Ports, sleep } from "../ports.js";
import type { ActiveBatch, BatchStore } from "../store/batch-store.js";
import type { RunRow, RunStore } from "../store/run-store.js";
import { ApartGate } from "./apart-gate.js";
import { BatchDriver } from "./batch-driver.js";
import type { BatchCounters, BatchEnvironment } from "./batch-environment.js";
import { type BatchPlan, batchPlanOf } from "./batch-plan.js";
import type { ItemSource } from "./item-source.js";
import { SourceReader } from "./source-reader.js";
import { failedItemsSource } from "./sources/failed-items.js";
import { type EntitySource, resolveSource } from "./sources/resolve-source.js";

export interface BatchWorkerOptions {
  readonly store: BatchStore;
  readonly runs: Pick<RunStore, "get" | "signal" | "workers">;
  /** Of all definitions; those of batches are looked after. */
  readonly plans: readonly RunPlan[];
  readonly participants: Readonly<Record<string, Participant>>;
  /** By the names of entities. */
  readonly entities: Readonly<Record<string, EntitySource>>;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly workerId: () => string;
  readonly trusted: () => boolean;
  readonly messaged: (run: string) => void;
  /** How often the store is asked for batches, ms. */
  readonly pollMs: number;
}

/** How often the instances are counted. */
const COUNT_MS = 2_000;
/** Chunks in hand at once, of all batches. */
const MOST_CHUNKS = 256;
/** Attribute of a run that tries the failed items of another one again. */
export const RETRIES = "retries_failed_items_of";

/**
 * Looks after the batches that this process has the definitions of: finds those that have something to be done, and has a driver for each.
 * It owns chunks in the name of the process's worker, and forgets all of them when that one loses its lease.
 */
export class BatchWorker {
  readonly #options: BatchWorkerOptions;
  readonly #env: BatchEnvironment;
  readonly #plans = new Map<string, BatchPlan>();
  readonly #drivers = new Map<string, BatchDriver>();
  readonly counters: BatchCounters = { itemsDone: 0, itemsFailed: 0, itemsSkipped: 0, chunks: 0 };
  readonly #stop = new AbortController();
  #wake: () => void = () => {};
  #isPoked = false;
  #instances = 1;
  #countAgainAt = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: BatchWorkerOptions) {
    this.#options = options;
    const { store, runs, participants, entities, ports, logger, workerId, trusted, messaged } = options;
    const gate = new ApartGate(MOST_CHUNKS, () => {
      for (const driver of this.#drivers.values()) driver.wake();
    });
    this.#env = {
      ...{ store, runs, participants, entities, ports, logger, workerId, trusted, messaged, gate },
      counters: this.counters,
    };
    for (const plan of options.plans) {
      const batch = batchPlanOf(plan, participants);
      if (batch !== null) this.#plans.set(key(batch.definition, batch.version), batch);
    }
  }

  /** Twice is once. */
  start(): void {
    if (this.#plans.size > 0) this.#loop = this.#look(this.#stop.signal);
  }

  /** Chunks in hand may come to their end for up to `graceMs`; those that do not are left to others. */
  async stop(graceMs: number): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#loop;
    const drained = new AbortController();
    const drivers = [...this.#drivers.values()];
    const quiet = Promise.all(drivers.map((driver) => driver.drain()));
    await Promise.race([quiet, sleep(this.#options.ports.clock, graceMs, drained.signal)]);
    drained.abort();
    this.#abandonAll("this instance stops");
  }

  /** Some batch may have something to be done: look now. */
  poke(): void {
    this.#isPoked = true;
    this.#wake();
  }

  /**
   * The lease was not renewed in time: what is under way is cut short. The chunks stay in hand: only a worker that was declared dead, and has
   * another id from then on, has lost them.
   */
  lost(): void {
    for (const driver of this.#drivers.values()) driver.interrupt("the lease of this instance may be over");
    this.#options.ports.clock.soon(() => this.#abandonStale());
  }

  #abandonStale(): void {
    for (const [run, driver] of this.#drivers) {
      if (!driver.isStale) continue;
      driver.abandon("this instance lost its lease");
      this.#drivers.delete(run);
    }
  }

  #abandonAll(reason: string): void {
    for (const driver of this.#drivers.values()) driver.abandon(reason);
    this.#drivers.clear();
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { ports, pollMs } = this.#options;
    while (!signal.aborted) {
      this.#isPoked = false;
      await this.#lookOnce();
      if (this.#isPoked) continue;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await sleep(ports.clock, pollMs * (0.75 + ports.random.float() / 2), woken.signal);
    }
  }

  async #lookOnce(): Promise<void> {
    const { store, logger } = this.#options;
    const { trusted, workerId } = this.#env;
    this.#abandonStale();
    if (!trusted()) return;
    const worker = workerId();
    try {
      const refs = [...this.#plans.values()].map(({ definition: name, version }) => ({ name, version }));
      const active = await store.active(worker, refs);
      if (!trusted() || workerId() !== worker || this.#stop.signal.aborted) return;
      const seen = new Set(active.map(({ run }) => run));
      for (const [run, driver] of this.#drivers)
        if (driver.isGone || (!seen.has(run) && driver.isQuiet)) this.#drivers.delete(run);
      const instances = active.length === 0 ? 1 : await this.#countInstances();
      await Promise.all(active.map((batch) => this.#see(batch, instances)));
    } catch (error) {
      logger.warn({ error: String(error) }, "batches could not be looked for; trying again");
    }
  }

  /** That live, as far as is known; asked for now and then. */
  async #countInstances(): Promise<number> {
    const { runs, ports } = this.#options;
    const now = ports.clock.monotonic();
    if (now < this.#countAgainAt) return this.#instances;
    this.#countAgainAt = now + COUNT_MS;
    const workers = await runs.workers();
    // By the store's clock: one that renewed last tells how late it is.
    const latest = Math.max(...workers.map(({ renewedAt }) => renewedAt));
    this.#instances = Math.max(1, workers.filter(({ dead, expiresAt }) => !dead && expiresAt > latest).length);
    return this.#instances;
  }

  async #see(batch: ActiveBatch, instances: number): Promise<void> {
    const plan = this.#plans.get(key(batch.definition, batch.version));
    if (plan === undefined) return;
    let driver = this.#drivers.get(batch.run);
    if (driver === undefined) {
      const worker = this.#env.workerId();
      const run = await this.#options.runs.get(batch.run);
      if (run === undefined || !this.#env.trusted() || this.#env.workerId() !== worker || this.#stop.signal.aborted)
        return;
      driver = new BatchDriver({ env: this.#env, plan, run, reader: this.#readerOf(plan, run) });
      this.#drivers.set(batch.run, driver);
    }
    driver.see(batch, instances);
  }

  #readerOf(plan: BatchPlan, run: RunRow): SourceReader {
    const { ports, logger } = this.#options;
    const { step, reading, act } = plan;
    return new SourceReader({
      ...{ ports, logger, run: run.id, input: run.input, chunkSize: step.chunkSize },
      source: () => this.#sourceOf(plan, run),
      ...{ policy: reading, timeoutMs: act.timeoutMs },
    });
  }

  async #sourceOf({ step }: BatchPlan, { id, input, restartedFrom, attributes }: RunRow): Promise<ItemSource> {
    const { store, participants, entities } = this.#options;
    if (restartedFrom !== null && attributes?.[RETRIES] === restartedFrom)
      return failedItemsSource(store, restartedFrom);
    const scope: { runId: string; input: Json } = { runId: id, input };
    return resolveSource(await step.source(scope), { participants, entities }, scope);
  }
}

function key(definition: string, version: string): string {
  return JSON.stringify([definition, version]);
}
