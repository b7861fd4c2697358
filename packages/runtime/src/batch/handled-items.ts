import type { Json } from "../json.js";
import type { ItemCall, ItemHandler } from "../saga/definition.js";
import type { AttemptAbort } from "../worker/attempt-abort.js";
import { type AttemptBound, Cut } from "./attempt-bound.js";
import type { ActPlan } from "./batch-plan.js";
import { type AttemptEnd, afterFailure, cutShort, failureOf, type ItemActs, type ItemInHand } from "./item-attempt.js";
import { itemStage } from "./item-key-path.js";

export interface HandledItemsOptions {
  readonly handler: ItemHandler;
  readonly plan: ActPlan;
  readonly bound: AttemptBound;
  readonly run: { readonly id: string; readonly input: Json };
  readonly random: () => number;
}

/** A function in this process, called for each item. */
export class HandledItems implements ItemActs {
  readonly #options: HandledItemsOptions;

  constructor(options: HandledItemsOptions) {
    this.#options = options;
  }

  attempt(item: ItemInHand): AttemptEnd | Promise<AttemptEnd> {
    const { handler, bound, run } = this.#options;
    const abort = bound.begin();
    item.attempts += 1;
    try {
      const answer = handler(new HandledCall(item, run.id, run.input, abort));
      if (!isThenable(answer)) {
        bound.end();
        return "done";
      }
      return this.#wait(item, answer, abort);
    } catch (error) {
      bound.end();
      return this.#failed(item, error);
    }
  }

  async #wait(item: ItemInHand, answer: PromiseLike<unknown>, abort: AttemptAbort): Promise<AttemptEnd> {
    const { bound, plan, random } = this.#options;
    try {
      const value = await bound.wait(answer, abort, plan.timeoutMs);
      bound.end();
      return value instanceof Cut ? afterFailure(item, cutShort(item, value), plan.retry, random) : "done";
    } catch (error) {
      bound.end();
      return this.#failed(item, error);
    }
  }

  #failed(item: ItemInHand, thrown: unknown): AttemptEnd {
    const { plan, random } = this.#options;
    const { error, isRefusal } = failureOf(thrown);
    return isRefusal ? { failed: error } : afterFailure(item, error, plan.retry, random);
  }
}

/** One is made for each attempt, and most handlers look at little of it: what costs more than a field is made when it is looked at. */
class HandledCall implements ItemCall {
  readonly item: Json;
  readonly key: string;
  readonly runId: string;
  readonly input: Json;
  readonly attempt: number;
  readonly #abort: AttemptAbort;

  constructor({ item, key, attempts }: ItemInHand, runId: string, input: Json, abort: AttemptAbort) {
    this.item = item;
    this.key = key;
    this.runId = runId;
    this.input = input;
    this.attempt = attempts;
    this.#abort = abort;
  }

  get idempotencyKey(): string {
    return `${this.runId}:${itemStage(this.key, "each")}`;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
