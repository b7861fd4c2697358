import { askUntilAnswered, textOf } from "../api.js";
import type { Clients } from "../clients.js";
import type { History } from "../history.js";
import { type Instance, OPERATOR_TOKEN } from "../instance.js";
import { Draws } from "../seeded.js";

export interface RetriersOptions {
  readonly seed: number;
  readonly instances: readonly Instance[];
  readonly history: History;
  /** They follow what is started. */
  readonly clients: Clients;
}

/** Of the batches that completed with items that failed, those whose failed items somebody wants to be tried again. */
const SHARE = 0.4;

/** Operators who have the failed items of batches that are over done by runs of their own. */
export class Retriers {
  readonly #options: RetriersOptions;
  readonly #known = new Set<string>();
  readonly #retrying = new Set<Promise<void>>();
  #stopping = false;

  constructor(options: RetriersOptions) {
    this.#options = options;
    options.history.onEvent((event) => {
      if (event.kind !== "told" || event.status !== "completed" || this.#stopping || this.#known.has(event.run)) return;
      this.#known.add(event.run);
      const draws = new Draws(options.seed, "retrier", event.run);
      if (event.progress === undefined || event.progress.failed === 0 || !draws.chance(SHARE)) return;
      const retrying = this.#retry(event.run, draws);
      this.#retrying.add(retrying);
      void retrying.finally(() => this.#retrying.delete(retrying));
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#retrying);
  }

  async #retry(from: string, draws: Draws): Promise<void> {
    const { instances, history, clients } = this.#options;
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, "idempotency-key": `again ${from}` };
    const path = `/api/v1/runs/${from}/failed-items/retry`;
    const body = { reason: "what failed may succeed now" };
    const answer = await askUntilAnswered(instances, draws, { method: "POST", path, headers, body }, 100);
    const run = answer === null ? undefined : textOf(answer.body, "id");
    if (answer === null || run === undefined) {
      const text = answer === null ? "nothing" : `${answer.status} ${JSON.stringify(answer.body)}`;
      return history.add({
        kind: "refused",
        at: Date.now(),
        instance: answer?.instance ?? "",
        key: `again ${from}`,
        answer: text,
      });
    }
    history.add({ kind: "retried", at: Date.now(), run, from });
    clients.adopt(run, clients.definitionOf(from));
  }
}
