import { setTimeout as sleep } from "node:timers/promises";
import { askUntilAnswered } from "../api.js";
import type { History } from "../history.js";
import type { Instance } from "../instance.js";
import { Draws } from "../seeded.js";
import type { SleeperShape } from "./task-shapes.js";

export interface ApproversOptions {
  readonly seed: number;
  readonly instances: readonly Instance[];
  readonly history: History;
  readonly shapes: ReadonlyMap<string, SleeperShape>;
}

/** Whoever approves what waits for it: early, in time, too late, twice, or never. */
export class Approvers {
  readonly #options: ApproversOptions;
  readonly #known = new Set<string>();
  readonly #approving = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(options: ApproversOptions) {
    this.#options = options;
    options.history.onEvent((event) => {
      const shape = event.kind === "started" ? options.shapes.get(event.definition) : undefined;
      if (event.kind !== "started" || shape === undefined || this.#known.has(event.run)) return;
      this.#known.add(event.run);
      const approving = this.#approve(event.run, event.at, shape);
      this.#approving.add(approving);
      void approving.finally(() => this.#approving.delete(approving));
    });
  }

  /** Sends nothing that has not been sent yet; resolves when all that was is answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#approving);
  }

  async #approve(run: string, startedAt: number, shape: SleeperShape): Promise<void> {
    const draws = new Draws(this.#options.seed, "approver", run);
    const dice = draws.float();
    if (dice < 0.2) return;
    const { sleepMs, waitMs } = shape;
    // Before it waits, while it does, or when it should not any more.
    const afterMs =
      dice < 0.4
        ? draws.between(0, sleepMs)
        : dice < 0.8
          ? draws.between(sleepMs, sleepMs + waitMs)
          : sleepMs + waitMs * 2;
    const isWoken = await sleep(startedAt + afterMs - Date.now(), true, { signal: this.#stopping.signal }).catch(
      () => false,
    );
    if (!isWoken) return;
    const times = draws.chance(0.2) ? 2 : 1;
    await Promise.all(Array.from({ length: times }, (_, index) => this.#signal(run, shape.signal, draws, `${index}`)));
  }

  async #signal(run: string, signal: string, draws: Draws, key: string): Promise<void> {
    const { instances, history } = this.#options;
    const sent = Date.now();
    const path = `/api/v1/runs/${run}/signals/${signal}`;
    const headers = { "idempotency-key": `${run} ${key}` };
    const body = { payload: { approved: true } };
    const answer = await askUntilAnswered(instances, draws, { method: "POST", path, headers, body }, 100);
    const taken = answer !== null && answer.status === 202;
    history.add({ kind: "signaled", at: Date.now(), run, signal, sent, taken });
  }
}
