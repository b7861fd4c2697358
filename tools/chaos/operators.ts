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
  /** Where a stuck run is led on when that is the run of its stage: its id; undefined: none is stuck. Default: at the run itself. */
  readonly stuckStage?: (run: string) => Promise<string | undefined>;
}

const OF_STUCK = ["resume", "resume", "resume", "skip", "abandon"] as const;
/** Whoever abandons a stage leaves its effect behind, as one who skips its undoing does. */
const OF_STUCK_STAGE = ["resume", "resume", "resume", "skip"] as const;

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
    const { clients, everyMs, stuckStage } = this.#options;
    while (!this.#stopping) {
      await sleep(everyMs * this.#draws.between(0.5, 1.5));
      const stuck = clients.unended.filter(([, status]) => status === "stuck").map(([run]) => run);
      const { open } = clients;
      if (stuck.length > 0 && this.#draws.chance(0.7)) {
        const run = this.#draws.pick(stuck);
        const stage = await stuckStage?.(run).catch(() => undefined);
        if (stuckStage === undefined) await this.#act(run, this.#draws.pick(OF_STUCK));
        else if (stage !== undefined) await this.#act(run, this.#draws.pick(OF_STUCK_STAGE), stage);
      } else if (open.length > 0) await this.#act(this.#draws.pick(open), "cancel");
    }
  }

  /** Asked again, with the same key, until somebody answers: whether it is allowed is the run's business. */
  async #act(run: string, verb: string, stage?: string): Promise<void> {
    this.#requests += 1;
    const reason = `request ${this.#requests} of the chaos`;
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, "idempotency-key": reason };
    for (let tries = 0; tries < 20; tries++) {
      const up = this.#options.instances.filter(({ child, url }) => child !== null && url !== "");
      const asked = {
        method: "POST",
        path: `/api/v1/runs/${stage ?? run}/${verb}`,
        body: { reason },
        headers,
      } as const;
      const answer = up.length === 0 ? null : await ask(this.#draws.pick(up), asked);
      if (answer?.status === 202) {
        const of = stage === undefined ? {} : { stage };
        this.#options.history.add({ kind: "verb", at: Date.now(), run, ...of, verb, reason });
      }
      if (answer !== null && answer.status < 500) return;
      await sleep(this.#draws.between(100, 500));
    }
  }
}
