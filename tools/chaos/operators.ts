import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./api.js";
import type { Clients } from "./clients.js";
import type { History } from "./history.js";
import { type Instance, OPERATOR_TOKEN } from "./instance.js";
import { Draws } from "./seeded.js";

export interface OperatorsOptions {
  readonly seed: number;
  readonly instances: readonly Instance[];
  readonly clients: Clients;
  readonly history: History;
  /** Between two verbs, ms, on average. */
  readonly everyMs: number;
}

const OF_STUCK = ["resume", "resume", "resume", "skip", "abandon"] as const;

/** Operators, who now and then cancel a run, and look after those that are stuck. */
export class Operators {
  readonly #options: OperatorsOptions;
  readonly #draws: Draws;
  #stopping = false;
  #working: Promise<void> = Promise.resolve();
  #requests = 0;

  constructor(options: OperatorsOptions) {
    this.#options = options;
    this.#draws = new Draws(options.seed, "operators");
  }

  start(): void {
    this.#working = this.#work();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    const { clients, everyMs } = this.#options;
    while (!this.#stopping) {
      await sleep(everyMs * this.#draws.between(0.5, 1.5));
      const stuck = clients.unended.filter(([, status]) => status === "stuck").map(([run]) => run);
      const { open } = clients;
      if (stuck.length > 0 && this.#draws.chance(0.7))
        await this.#act(this.#draws.pick(stuck), this.#draws.pick(OF_STUCK));
      else if (open.length > 0) await this.#act(this.#draws.pick(open), "cancel");
    }
  }

  /** Asked again, with the same key, until somebody answers: whether it is allowed is the run's business. */
  async #act(run: string, verb: string): Promise<void> {
    this.#requests += 1;
    const reason = `request ${this.#requests} of the chaos`;
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, "idempotency-key": reason };
    for (let tries = 0; tries < 20; tries++) {
      const up = this.#options.instances.filter(({ child, url }) => child !== null && url !== "");
      const asked = { method: "POST", path: `/api/v1/runs/${run}/${verb}`, body: { reason }, headers } as const;
      const answer = up.length === 0 ? null : await ask(this.#draws.pick(up), asked);
      if (answer?.status === 202) this.#options.history.add({ kind: "verb", at: Date.now(), run, verb, reason });
      if (answer !== null && answer.status < 500) return;
      await sleep(this.#draws.between(100, 500));
    }
  }
}
