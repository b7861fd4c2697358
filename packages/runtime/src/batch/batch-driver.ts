import type { Failure } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { CancelTimer } from "../ports.js";
import type { ActiveBatch, AdvanceResult, KeyedItem, SettledChunk, TakenChunk } from "../store/batch-store.js";
import type { RunRow } from "../store/run-store.js";
import { messageOfFailure, messagesOfEnd } from "./batch-end.js";
import type { BatchEnvironment } from "./batch-environment.js";
import { BatchLeader } from "./batch-leader.js";
import type { BatchPlan } from "./batch-plan.js";
import type { ChunkSurroundings } from "./chunk-surroundings.js";
import { ChunkWork, type WorkedChunk } from "./chunk-work.js";
import { FairShare } from "./fair-share.js";
import type { Ownership } from "./ownership.js";
import { RememberedItems } from "./remembered-items.js";
import { SettleLane } from "./settle-lane.js";
import { SourceFailed, type SourceReader } from "./source-reader.js";
import { untilAnswered } from "./store-calls.js";

export interface BatchDriverOptions {
  readonly env: BatchEnvironment;
  readonly plan: BatchPlan;
  readonly run: RunRow;
  readonly reader: SourceReader;
}

/** Items read ahead that are remembered here. */
const MOST_REMEMBERED = 50_000;
const NO_TIMER: CancelTimer = () => {};

/**
 * One batch in this process, for as long as there is something to be done for it: reads ahead if it leads, works chunks in as many slots as
 * the batch has, settles them, and tells the run how the batch ended. All that it believes is checked by the store with each write.
 */
export class BatchDriver {
  readonly run: string;
  readonly #env: BatchEnvironment;
  readonly #plan: BatchPlan;
  readonly #reader: SourceReader;
  readonly #worker: string;
  readonly #around: ChunkSurroundings;
  readonly #inHand = new Map<number, ChunkWork>();
  readonly #remembered = new RememberedItems(MOST_REMEMBERED);
  readonly #lane: SettleLane;
  readonly #share: FairShare;
  #leader: BatchLeader | null = null;
  #leading: Promise<void> = Promise.resolve();
  #round = 1;
  /** Chunks settled here. */
  #settled = 0;
  #isDraining = false;
  #isGone = false;
  /** Of that round: it cannot go on here, its run was told. */
  #failedRound = 0;
  #isTelling = false;
  #cancelWait: CancelTimer = NO_TIMER;
  #onQuiet: () => void = () => {};

  constructor({ env, plan, run, reader }: BatchDriverOptions) {
    this.run = run.id;
    this.#env = env;
    this.#plan = plan;
    this.#reader = reader;
    this.#worker = env.workerId();
    this.#around = {
      ...{ plan, store: env.store, participants: env.participants, ports: env.ports },
      run: { id: run.id, input: run.input },
      untilAnswered: (call) =>
        untilAnswered(call, {
          ...{ ports: env.ports, logger: env.logger, what: "marking an item" },
          mayGoOn: () => this.#ownership() !== "lost",
        }),
      ownership: () => this.#ownership(),
    };
    this.#share = new FairShare(plan.step.concurrency, env.ports.clock);
    this.#lane = new SettleLane({
      ...{ env, run: run.id, worker: this.#worker },
      room: () => this.#room(),
      holding: () => [...this.#inHand.keys()],
      onAdvanced: (settled, result) => this.#advanced(settled, result),
      onLost: (error) => this.#lost(error),
      mayGoOn: () => this.#ownership() !== "lost",
    });
  }

  /** Nothing of it is in hand here. */
  get isQuiet(): boolean {
    return this.#inHand.size === 0 && !this.#lane.isBusy && this.#leader === null && !this.#isTelling;
  }

  /** It was abandoned: another driver may begin anew. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The worker in whose name it owns chunks is dead. */
  get isStale(): boolean {
    return this.#env.workerId() !== this.#worker;
  }

  /** What the store says is to be done for it, and how many instances live. */
  see({ round, status, leads, takeable, untold }: ActiveBatch, instances: number): void {
    if (this.#isGone) return;
    this.#round = round;
    if (untold) void this.#tell();
    if (this.#isDraining) return;
    if (status === "closing" && takeable > this.#inHand.size) this.#lane.drop();
    if (this.#failedRound >= round) return;
    if (leads && this.#leader === null) this.#lead();
    this.#share.look(instances, takeable - this.#inHand.size);
    if (status === "open" && takeable > this.#inHand.size) this.#lane.want();
  }

  /** Room came up that others had. */
  wake(): void {
    if (!this.#isGone && !this.#isDraining) this.#lane.want();
  }

  /** Comes to the end of what is in hand, and takes nothing more. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#leader?.leave();
    this.#cancelWait();
    await this.#leading;
    if (this.#inHand.size === 0 && !this.#lane.isBusy) return;
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
    });
  }

  /** At once: what is in hand is somebody else's, or will be. */
  abandon(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#leader?.leave();
    this.#cancelWait();
    for (const work of this.#inHand.values()) work.leave(reason);
    this.#remembered.clear();
    this.#onQuiet();
  }

  /** The lease may be over, and an heir at work: nothing goes on until that is known. */
  interrupt(reason: string): void {
    for (const work of this.#inHand.values()) work.interrupt(reason);
  }

  #ownership(): Ownership {
    if (this.#isGone || this.isStale) return "lost";
    return this.#env.trusted() ? "ours" : "unsure";
  }

  #room(): number {
    if (this.#isGone || this.#isDraining || this.#failedRound >= this.#round) return 0;
    // More may be in hand than its part, which is given back chunk by chunk.
    return Math.max(0, Math.min(this.#share.allowed - this.#inHand.size, this.#env.gate.room));
  }

  #lead(): void {
    const { env, plan, run, reader, worker } = {
      env: this.#env,
      plan: this.#plan,
      run: this.run,
      reader: this.#reader,
      worker: this.#worker,
    };
    const leader = new BatchLeader({
      ...{ env, plan, run, reader, worker },
      settled: () => this.#settled,
      onPlanted: (first, chunks) => {
        this.#remembered.add(first, chunks);
        this.#lane.want();
      },
      onHalted: () => void this.#tell(),
    });
    this.#leader = leader;
    this.#leading = leader
      .lead()
      .catch((error: unknown) =>
        this.#env.logger.warn(
          { run, error: String(error) },
          "a batch could not be read on here; it is looked at again",
        ),
      )
      .finally(() => {
        this.#leader = null;
      });
  }

  #advanced(settled: readonly SettledChunk[], { results, taken, status, waitMs }: AdvanceResult): void {
    const { counters, logger } = this.#env;
    for (const [index, { n, done, skipped, failed }] of settled.entries()) {
      if (results[index] === "settled") {
        counters.chunks += 1;
        counters.itemsDone += done;
        counters.itemsSkipped += skipped;
        counters.itemsFailed += failed.length;
        this.#settled += 1;
      } else
        logger.warn(
          { run: this.run, chunk: n },
          "another instance has the chunk now; what was settled here is not counted",
        );
    }
    if (this.#isGone) return;
    if (settled.length > 0) this.#leader?.settledSome();
    for (const chunk of taken) if (!this.#inHand.has(chunk.n)) this.#begin(chunk);
    if (waitMs !== null) this.#wantAfter(waitMs);
    if (status === "halted" || status === "ended") {
      this.#leader?.leave();
      void this.#tell();
    }
    this.#quietIfSo();
  }

  #wantAfter(delayMs: number): void {
    this.#cancelWait();
    this.#cancelWait = this.#env.ports.clock.after(delayMs, () => this.wake());
  }

  #begin(chunk: TakenChunk): void {
    const work = new ChunkWork(this.#around, chunk);
    this.#inHand.set(chunk.n, work);
    if (this.#ownership() === "lost") work.leave("this instance no longer owns the chunk");
    void this.#perform(work).then(
      (worked) => this.#worked(work, worked),
      (error: unknown) => this.#failed(work, error),
    );
  }

  async #perform(work: ChunkWork): Promise<WorkedChunk> {
    const { gate } = this.#env;
    const { chunk } = work;
    const entered = gate.enter(chunk.crashes > 0);
    if (entered !== null) await entered;
    try {
      const items = await this.#itemsOf(chunk, work.signal);
      return items === null ? "left" : await work.work(items);
    } finally {
      gate.leave();
    }
  }

  #itemsOf(chunk: TakenChunk, signal: AbortSignal): readonly KeyedItem[] | Promise<readonly KeyedItem[] | null> {
    return chunk.items ?? this.#remembered.take(chunk.n) ?? this.#reader.again(chunk, signal);
  }

  #worked({ chunk }: ChunkWork, worked: WorkedChunk): void {
    this.#inHand.delete(chunk.n);
    if (this.#isGone) return this.#quietIfSo();
    if (worked === "committed") {
      this.#settled += 1;
      this.#env.counters.chunks += 1;
      this.#leader?.settledSome();
    }
    if (typeof worked === "string") this.#lane.want();
    else this.#lane.settle(worked);
    this.#quietIfSo();
  }

  #failed({ chunk }: ChunkWork, error: unknown): void {
    this.#inHand.delete(chunk.n);
    if (this.#isGone) return this.#quietIfSo();
    if (error instanceof SourceFailed) this.#fail(error.failure);
    else if (isUnavailable(error)) this.#wantAfter(1_000);
    else
      this.#fail({ code: "internal", message: `chunk ${chunk.n} could not be worked: ${String(error).slice(0, 400)}` });
    this.#quietIfSo();
  }

  /** Of the lane's call. */
  #lost(error: unknown): void {
    if (isUnavailable(error) || this.#ownership() === "lost") return this.abandon("the store does not answer");
    this.#fail({
      code: "store-refused",
      message: `the store refused what was settled: ${String(error).slice(0, 400)}`,
    });
    this.#quietIfSo();
  }

  /** It cannot go on in this round: its run is parked for an operator. */
  #fail(failure: Failure): void {
    if (this.#failedRound >= this.#round) return;
    const { run } = this;
    this.#failedRound = this.#round;
    this.#env.logger.error({ run, error: failure.message }, "the batch cannot go on");
    const message = messageOfFailure({ run, definition: this.#plan.definition, round: this.#round }, failure);
    this.#env.runs.signal([message]).then(
      (results) => {
        this.#env.messaged(run);
        if (results.includes("full")) this.#failedRound = 0;
      },
      () => {
        // Found out again by whoever works the chunk next.
        this.#failedRound = 0;
      },
    );
  }

  /** The run, of how the batch ended, or that it halted. */
  async #tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const { store, runs, messaged, logger } = this.#env;
    const [round, run] = [this.#round, this.run];
    try {
      const progress = await store.get(run);
      const messages = progress === undefined ? [] : messagesOfEnd(progress, this.#plan.definition, round);
      if (messages.length === 0) return;
      const results = await runs.signal(messages);
      messaged(run);
      // A full inbox is tried again with the next look.
      if (!results.includes("full")) await store.told(run, round);
    } catch (error) {
      logger.warn({ run, error: String(error) }, "a run could not be told how its batch ended; trying again");
    } finally {
      this.#isTelling = false;
    }
  }

  #quietIfSo(): void {
    if (this.#inHand.size === 0 && !this.#lane.isBusy) this.#onQuiet();
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === "store-unavailable";
}
