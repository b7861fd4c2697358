import type { Failure } from "../engine/records.js";
import { isObject, type Json } from "../json.js";
import { sleep } from "../ports.js";
import type { ChunkHandler } from "../saga/definition.js";
import type { FailedItem, KeyedItem, SettledChunk, TakenChunk } from "../store/batch-store.js";
import { AttemptBound } from "./attempt-bound.js";
import type { ChunkSurroundings } from "./chunk-surroundings.js";
import { HandledChunk } from "./handled-chunk.js";
import { HandledItems } from "./handled-items.js";
import type { AttemptEnd, ItemActs, ItemInHand } from "./item-attempt.js";
import { itemFence } from "./item-fence.js";
import { StagedItems } from "./staged-items.js";

/** `committed`: settled with the handler's own transaction. `left`: somebody else's, or to be asked for again; nothing is settled here. */
export type WorkedChunk = SettledChunk | "committed" | "left";

/** A chunk that killed so many processes, whatever items were marked, fails as a whole: times `maxCrashes`. */
const HOPELESS = 10;

/**
 * One chunk in hand. Its items are attempted one after the other; one that is to be tried again lets those behind it go first. Of a chunk
 * whose owner died each item is marked before it is begun, so that the one that kills the process is known, and fails.
 */
export class ChunkWork {
  readonly chunk: TakenChunk;
  readonly #around: ChunkSurroundings;
  readonly #bound: AttemptBound;
  readonly #gone = new AbortController();
  readonly #failed: FailedItem[] = [];
  #done = 0;
  #skipped = 0;
  /** Of the items, when the next one may begin, by the monotonic clock. */
  #nextAt = 0;

  constructor(around: ChunkSurroundings, chunk: TakenChunk) {
    this.#around = around;
    this.chunk = chunk;
    this.#bound = new AttemptBound(around.ports.clock, around.ownership);
  }

  /** Nobody waits for it any more: what is under way is cut short, nothing more begins. */
  leave(reason: string): void {
    this.#gone.abort(reason);
    this.#bound.cut(reason);
  }

  /** What is under way fails; the chunk stays in hand. */
  interrupt(reason: string): void {
    this.#bound.interrupt(reason);
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Rejects with what the store throws when an item is marked. */
  async work(items: readonly KeyedItem[]): Promise<WorkedChunk> {
    const { plan } = this.#around;
    try {
      if (this.chunk.crashes >= HOPELESS * plan.maxCrashes) return this.#failAll(items, hopeless(this.chunk));
      if (plan.step.work.kind === "chunk") return await this.#workTogether(items, plan.step.work);
      if (!(await this.#workEach(items, this.#acts()))) return "left";
      return this.#settled(items);
    } finally {
      this.#bound.close();
    }
  }

  #acts(): ItemActs {
    const { plan, run, ports, participants } = this.#around;
    const { work } = plan.step;
    const shared = { bound: this.#bound, run, random: () => ports.random.float() };
    if (work.kind === "each") return new HandledItems({ ...shared, handler: work.run, plan: plan.act });
    return new StagedItems({
      ...{ ...shared, stages: plan.stages, participants, now: () => ports.clock.now() },
      ...{ retried: retriedOf(this.chunk), fence: itemFence(this.chunk) },
    });
  }

  /** False: it was left. */
  async #workEach(items: readonly KeyedItem[], acts: ItemActs): Promise<boolean> {
    const isMarked = this.chunk.crashes > 0;
    /** Between two attempts. */
    const waiting: ItemInHand[] = [];
    let next = 0;
    for (;;) {
      if (this.#bound.isCut) return false;
      let hand = waiting.length === 0 ? undefined : this.#takeDue(waiting, next < items.length);
      if (hand === undefined) {
        const item = items[next];
        if (item === undefined) {
          if (waiting.length === 0) return true;
          await this.#pause(Math.min(...waiting.map(({ dueAt }) => dueAt)));
          continue;
        }
        next += 1;
        hand = { key: item.key, item: item.item, attempts: 0, failures: 0, dueAt: 0 };
        if (this.chunk.paceMs > 0) await this.#pace();
        if (this.#bound.isCut) return false;
      }
      if (isMarked) {
        if (this.#isPoison(hand.key)) {
          this.#take(hand, { failed: poison(hand.key, this.#around.plan.maxCrashes) });
          continue;
        }
        if (!(await this.#mark(hand.key))) return false;
      }
      const mayBegin = this.#bound.mayBegin();
      if (mayBegin !== true && !(await mayBegin)) return false;
      const answer = acts.attempt(hand);
      const end = answer instanceof Promise ? await answer : answer;
      // What was cut short because it was left says nothing about the item.
      if (this.#bound.isCut) return false;
      if (this.#take(hand, end)) waiting.push(hand);
    }
  }

  /** True: it is to be tried again. */
  #take(hand: ItemInHand, end: AttemptEnd): boolean {
    if (end === "done") this.#done += 1;
    else if (end === "skipped") this.#skipped += 1;
    else if ("failed" in end) this.#failed.push(failedItem(hand, hand.attempts, end.failed));
    else {
      hand.dueAt = this.#around.ports.clock.monotonic() + end.retryMs;
      return true;
    }
    return false;
  }

  #takeDue(waiting: ItemInHand[], hasOthers: boolean): ItemInHand | undefined {
    const now = this.#around.ports.clock.monotonic();
    const index = waiting.findIndex(({ dueAt }) => dueAt <= now);
    // Many that fail would else be gone through before each of the others.
    if (index < 0 || (hasOthers && waiting.length < MOST_WAITING)) return undefined;
    return waiting.splice(index, 1)[0];
  }

  async #workTogether(items: readonly KeyedItem[], work: { readonly run: ChunkHandler }) {
    const [first] = items;
    if (this.chunk.crashes > 0 && first !== undefined) {
      // They go together, so the first of them stands for all.
      if (this.#isPoison(first.key)) return this.#failAll(items, poison(first.key, this.#around.plan.maxCrashes));
      if (!(await this.#mark(first.key))) return "left";
    }
    if (first === undefined) return this.#settled(items);
    const { plan, run, store, ports } = this.#around;
    const handled = new HandledChunk({
      ...{ chunk: this.chunk, items, handler: work.run, plan: plan.act, bound: this.#bound, run, store },
      random: () => ports.random.float(),
      missing: this.#missing(items),
    });
    for (;;) {
      if (!(await this.#bound.mayBegin())) return "left";
      const end = await handled.attempt();
      if (this.#bound.isCut && end !== "committed") return "left";
      if (end === "committed" || end === "left") return end;
      if ("retryMs" in end) {
        await this.#pause(ports.clock.monotonic() + end.retryMs);
        if (this.#bound.isCut) return "left";
        continue;
      }
      if ("failedAll" in end) return this.#failAll(items, end.failedAll, handled.attempts);
      this.#failed.push(...end.failed);
      this.#done = items.length - end.failed.length;
      return this.#settled(items);
    }
  }

  #failAll(items: readonly KeyedItem[], error: Failure, attempts = 0): SettledChunk {
    for (const item of items) this.#failed.push(failedItem(item, attempts, error));
    return this.#settled(items);
  }

  #settled(items: readonly KeyedItem[]): SettledChunk {
    const { n, fence } = this.chunk;
    const [done, failed] = [this.#done, this.#failed];
    return { n, fence, done, skipped: this.#skipped + this.#missing(items), failed };
  }

  /** Items that the source had when it was read ahead, and no longer has. */
  #missing(items: readonly KeyedItem[]): number {
    return Math.max(0, this.chunk.size - items.length);
  }

  #isPoison(key: string): boolean {
    const { marked } = this.chunk;
    return marked !== null && marked.key === key && marked.crashes >= this.#around.plan.maxCrashes;
  }

  /** A chunk that is given up for a lost reply would be worked again from its first item. */
  #mark(key: string): Promise<boolean> {
    const { store, untilAnswered } = this.#around;
    return untilAnswered(() => store.mark(this.chunk, key));
  }

  async #pace(): Promise<void> {
    const now = this.#around.ports.clock.monotonic();
    if (this.#nextAt > now) await this.#pause(this.#nextAt);
    this.#nextAt = Math.max(now, this.#nextAt) + this.chunk.paceMs;
  }

  #pause(until: number): Promise<void> {
    const { clock } = this.#around.ports;
    return sleep(clock, Math.max(0, until - clock.monotonic()), this.#gone.signal);
  }
}

/** Between two attempts: from so many on they go before the others. */
const MOST_WAITING = 16;

function failedItem({ key, item }: KeyedItem, attempts: number, error: Failure): FailedItem {
  return { key, item, attempts, error };
}

/** What marks the keys of acts that are done again after they were undone; null: the first time. */
function retriedOf({ from, items }: TakenChunk): string | null {
  const mark: Json | undefined = items !== null && isObject(from) ? from.requeued : undefined;
  return typeof mark === "string" ? mark : null;
}

function poison(key: string, crashes: number): Failure {
  const message = `the process that worked item ${JSON.stringify(key.slice(0, 100))}, apart from others, died ${crashes} times; mend what it does, then retry it`;
  return { code: "poison", message };
}

function hopeless({ n, crashes }: TakenChunk): Failure {
  const message = `the processes that worked chunk ${n} died ${crashes} times, of more than one of its items; mend what they do, then retry them`;
  return { code: "poison", message };
}
