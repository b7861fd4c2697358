import { setTimeout as sleep } from "node:timers/promises";
import { askUntilAnswered } from "./api.js";
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
  /** Tells these operators' requests from those of others. Default: `the chaos`. */
  readonly name?: string;
  /** What they do about a run of that definition, each as often as it is named; none: they let it be. Default: they cancel what is open and lead on what is stuck. */
  readonly verbs?: Habits;
  /** Where a stuck run is led on when that is the run of its stage: its id; undefined: none is stuck. Default: at the run itself. */
  readonly stuckStage?: (run: string) => Promise<string | undefined>;
}

export type Habits = (definition: string, status: "open" | "stuck" | "paused") => readonly string[];

const OF_STUCK = ["resume", "resume", "resume", "skip", "abandon"] as const;
const HABITS: Habits = (_, status) => (status === "open" ? ["cancel"] : status === "stuck" ? OF_STUCK : []);
/** Whoever abandons a stage leaves its effect behind, as one who skips its undoing does. */
const OF_STUCK_STAGE = ["resume", "resume", "resume", "skip"] as const;

/** Operators, who now and then cancel a run, and look after those that are parked. */
export class Operators {
  readonly #options: OperatorsOptions;
  readonly #draws: Draws;
  #stopping = false;
  #working: Promise<void> = Promise.resolve();
  #requests = 0;

  constructor(options: OperatorsOptions) {
    this.#options = options;
    this.#draws = new Draws(options.seed, "operators", ...(options.name === undefined ? [] : [options.name]));
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
      const parked = clients.unended.filter(([, status]) => status === "stuck" || status === "paused");
      const { open } = clients;
      if (parked.length > 0 && this.#draws.chance(0.7)) {
        const [run, status] = this.#draws.pick(parked);
        await this.#leadOn(run, status === "stuck" ? "stuck" : "paused");
      } else if (open.length > 0) {
        const run = this.#draws.pick(open);
        await this.#oneOf(run, this.#habits(clients.definitionOf(run), "open"));
      }
    }
  }

  get #habits(): Habits {
    return this.#options.verbs ?? HABITS;
  }

  async #leadOn(run: string, status: "stuck" | "paused"): Promise<void> {
    const { clients, stuckStage } = this.#options;
    if (stuckStage === undefined) return this.#oneOf(run, this.#habits(clients.definitionOf(run), status));
    const stage = await stuckStage(run).catch(() => undefined);
    if (stage !== undefined) await this.#act(run, this.#draws.pick(OF_STUCK_STAGE), stage);
  }

  async #oneOf(run: string, verbs: readonly string[]): Promise<void> {
    if (verbs.length > 0) await this.#act(run, this.#draws.pick(verbs));
  }

  /** Whatever is paused goes on. */
  async resumeAll(): Promise<void> {
    for (const [run, status] of this.#options.clients.unended) if (status === "paused") await this.#act(run, "resume");
  }

  /** Asked again, with the same key, until somebody answers: whether it is allowed is the run's business. */
  async #act(run: string, verb: string, stage?: string): Promise<void> {
    this.#requests += 1;
    const reason = `request ${this.#requests} of ${this.#options.name ?? "the chaos"}`;
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, "idempotency-key": reason };
    const { instances, history } = this.#options;
    const path = `/api/v1/runs/${stage ?? run}/${verb}`;
    const answer = await askUntilAnswered(instances, this.#draws, { method: "POST", path, body: { reason }, headers });
    if (answer?.status !== 202) return;
    history.add({ kind: "verb", at: Date.now(), run, ...(stage !== undefined && { stage }), verb, reason });
  }
}
