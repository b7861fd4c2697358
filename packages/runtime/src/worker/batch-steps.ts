import type { Suspension, StepOutcome } from "../engine/step-outcome.js";
import { batchClosing, batchRound } from "../engine/steps/batch.js";
import { RuntimeError } from "../errors.js";
import type { BatchStep } from "../saga/definition.js";
import type { BatchStore } from "../store/batch-store.js";

type Outcome = StepOutcome | Suspension;

export interface BatchStepsOptions {
  /** Undefined: the store keeps no batches. */
  readonly store: BatchStore | undefined;
  /** A batch may have something to be done. */
  readonly opened: () => void;
}

/** What a batch is opened for. */
export interface BatchOpening {
  readonly run: string;
  readonly step: BatchStep;
  /** Counts from 1: each time after it halted is another one. */
  readonly round: number;
  /** What failed before is tried again, too. */
  readonly retries: boolean;
}

/** Opening and closing the batches of runs. Each call may be made again, by this owner or the next. */
export class BatchSteps {
  readonly #options: BatchStepsOptions;

  constructor(options: BatchStepsOptions) {
    this.#options = options;
  }

  async open({ run, step, round, retries }: BatchOpening): Promise<Outcome> {
    const store = this.#store();
    // Before it goes on: what fails again meanwhile would be taken back once more.
    if (retries && round > 1) await requeueAll(store, run, step.chunkSize, `r${round}`);
    const { concurrency, maxFailures, maxFailureRatio, rateLimit } = step;
    await store.open({ run, concurrency, maxFailures, maxFailureRatio, rateLimit }, round);
    this.#options.opened();
    return { kind: "suspended", child: batchRound(run, round), undoes: false };
  }

  async close(run: string): Promise<Outcome> {
    if ((await this.#store().close(run)) === "closed") return { kind: "completed", output: null };
    this.#options.opened();
    return { kind: "suspended", child: batchClosing(run), undoes: false };
  }

  #store(): BatchStore {
    const { store } = this.#options;
    if (store !== undefined) return store;
    throw new RuntimeError("feature-unavailable", "expected a run store that keeps batches, got one that does not");
  }
}

/** All items that have failed so far become chunks again. `mark`: of the keys of what is done anew. Returns how many. */
export async function requeueAll(store: BatchStore, run: string, chunkSize: number, mark: string): Promise<number> {
  let left = (await store.get(run))?.failed ?? 0;
  let requeued = 0;
  while (left > 0) {
    const taken = await store.requeue(run, Math.min(chunkSize, left), { requeued: mark });
    if (taken === 0) break;
    left -= taken;
    requeued += taken;
  }
  return requeued;
}
