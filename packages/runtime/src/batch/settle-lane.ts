import type { AdvanceResult, SettledChunk } from "../store/batch-store.js";
import type { BatchEnvironment } from "./batch-environment.js";
import { untilAnswered } from "./store-calls.js";

export interface SettleLaneOptions {
  readonly env: BatchEnvironment;
  readonly run: string;
  /** The worker's id for as long as this lane is used. */
  readonly worker: string;
  /** Chunks that could be begun here now. */
  readonly room: () => number;
  /** Numbers of those in hand. */
  readonly holding: () => readonly number[];
  /** What the store said of `settled`, and what it gave. */
  readonly onAdvanced: (settled: readonly SettledChunk[], result: AdvanceResult) => void;
  /** Nobody knows what became of the chunks, or the store refuses them for good. */
  readonly onLost: (error: unknown) => void;
  readonly mayGoOn: () => boolean;
}

/** Chunks settled in one write. */
const MOST_SETTLED = 500;

/**
 * What the slots of a batch settle, and what they take next, in one call at a time: what comes while one is under way rides in the next. With
 * two of them what one was given would look to the other like a reply that was lost.
 */
export class SettleLane {
  readonly #options: SettleLaneOptions;
  #settled: SettledChunk[] = [];
  /** There may be something to be taken. */
  #wants = false;
  /** What the store takes for ours and is not in hand is to be dropped. */
  #drops = false;
  #isCalling = false;
  #isScheduled = false;

  constructor(options: SettleLaneOptions) {
    this.#options = options;
  }

  /** Something waits to be written, or is on its way. */
  get isBusy(): boolean {
    return this.#isCalling || this.#isScheduled || this.#settled.length > 0;
  }

  settle(chunk: SettledChunk): void {
    this.#settled.push(chunk);
    // A slot is free, and whoever settles takes.
    this.#wants = true;
    this.#schedule();
  }

  /** There may be chunks to be taken. */
  want(): void {
    this.#wants = true;
    this.#schedule();
  }

  /** The store owns us more than is in hand, of a batch that is closing. */
  drop(): void {
    this.#drops = true;
    this.#schedule();
  }

  /** Put off to the end of the turn, so that slots that come to their end together travel together. */
  #schedule(): void {
    if (this.#isCalling || this.#isScheduled || !this.#hasWork()) return;
    this.#isScheduled = true;
    this.#options.env.ports.clock.soon(() => {
      this.#isScheduled = false;
      if (!this.#isCalling && this.#hasWork()) void this.#call();
    });
  }

  #hasWork(): boolean {
    return this.#settled.length > 0 || this.#drops || (this.#wants && this.#options.room() > 0);
  }

  async #call(): Promise<void> {
    const { env, run, worker, room, holding, onAdvanced, onLost, mayGoOn } = this.#options;
    const settled = this.#settled.splice(0, MOST_SETTLED);
    const take = room();
    this.#isCalling = true;
    this.#drops = false;
    if (take > 0) this.#wants = false;
    const held = [...holding(), ...this.#settled.map(({ n }) => n)];
    try {
      const result = await untilAnswered(
        () => env.store.advance({ run, worker, settled, take, holding: held }),
        { ports: env.ports, logger: env.logger, what: "settling chunks", mayGoOn },
      );
      this.#isCalling = false;
      if (take > 0 && result.taken.length === take) this.#wants = true;
      onAdvanced(settled, result);
    } catch (error) {
      this.#isCalling = false;
      onLost(error);
    }
    this.#schedule();
  }
}
