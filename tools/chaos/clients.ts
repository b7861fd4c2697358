import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Asked, askAnybody, textOf } from "./api.js";
import type { History, Progress } from "./history.js";
import type { Instance } from "./instance.js";
import { Draws } from "./seeded.js";

export interface ClientsOptions {
  readonly seed: number;
  readonly instances: readonly Instance[];
  /** What is started, as often as it is named here. */
  readonly definitions: readonly string[];
  /** Tells what these clients draw from what others do. Default: nothing. */
  readonly name?: string;
  /** Where they are started. Default: `sagas`. */
  readonly route?: "sagas" | "tasks";
  readonly history: History;
  /** Starts in a second, at most. */
  readonly perSecond: number;
  /** Runs that have neither ended nor been parked, as far as the clients know; at that number no more are started. */
  readonly maxOpen: number;
}

const ENDED = new Set(["completed", "compensated", "failed", "cancelled"]);
const PARKED = new Set(["stuck", "paused"]);

/**
 * Whoever uses the service: each start has a key, goes to any instance that seems to live, and is sent again, here and
 * there, until somebody acknowledges it. Then the run is asked after now and then, also after its end.
 */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #draws: Draws;
  /** What each known run was last told to be. */
  readonly #statuses = new Map<string, string>();
  readonly #definitions = new Map<string, string>();
  readonly #following = new Set<Promise<void>>();
  #stopping = false;
  #starting: Promise<void> = Promise.resolve();
  #unacknowledged = 0;
  #started = 0;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#draws = new Draws(options.seed, "clients", ...(options.name === undefined ? [] : [options.name]));
  }

  /** Starts that nobody has acknowledged yet. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Runs that are neither known to have ended nor to be parked. */
  get open(): string[] {
    return [...this.#statuses].filter(([, status]) => !ENDED.has(status) && !PARKED.has(status)).map(([run]) => run);
  }

  /** Runs that have not ended, parked ones among them. */
  get unended(): [run: string, status: string][] {
    return [...this.#statuses].filter(([, status]) => !ENDED.has(status));
  }

  get runs(): readonly string[] {
    return [...this.#statuses.keys()];
  }

  /** Of a run that it follows. */
  definitionOf(run: string): string {
    return this.#definitions.get(run) ?? "";
  }

  /** A run that somebody else started is followed as if it were its own. */
  adopt(run: string, definition: string): void {
    if (this.#statuses.has(run)) return;
    this.#statuses.set(run, "pending");
    this.#definitions.set(run, definition);
    if (!this.#stopping) this.#follow(this.#askAfter(run));
  }

  start(): void {
    this.#starting = this.#startAll();
  }

  /** No more starts; resolves when each one is acknowledged and nobody asks after runs any more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#starting;
    await Promise.all(this.#following);
  }

  async #startAll(): Promise<void> {
    const { perSecond, maxOpen, definitions } = this.#options;
    while (!this.#stopping) {
      await sleep((1_000 / perSecond) * this.#draws.between(0.5, 1.5));
      if (this.open.length + this.#unacknowledged >= maxOpen) continue;
      this.#started += 1;
      this.#follow(this.#one(`key-${this.#started}`, this.#draws.pick(definitions)));
    }
  }

  #follow(what: Promise<void>): void {
    this.#following.add(what);
    void what.finally(() => this.#following.delete(what));
  }

  async #one(key: string, definition: string): Promise<void> {
    this.#unacknowledged += 1;
    // At times two callers have one key and do not know of each other.
    const callers = this.#draws.chance(0.1) ? 2 : 1;
    const runs = await Promise.all(Array.from({ length: callers }, () => this.#untilAcknowledged(key, definition)));
    this.#unacknowledged -= 1;
    const [run] = runs;
    if (run !== undefined) await this.#askAfter(run);
  }

  async #untilAcknowledged(key: string, definition: string): Promise<string | undefined> {
    const { history, route = "sagas" } = this.#options;
    for (let tries = 0; ; tries++) {
      const answer = await this.#anybody({
        ...{ method: "POST", path: `/api/v1/${route}/${definition}`, body: { input: { key } } },
        headers: { "idempotency-key": key },
      });
      const run = answer !== null && answer.status < 300 ? textOf(answer.body, "id") : undefined;
      if (answer !== null && run !== undefined) {
        history.add({ kind: "started", at: Date.now(), instance: answer.instance, key, definition, run });
        if (!this.#statuses.has(run)) this.#statuses.set(run, "pending");
        this.#definitions.set(run, definition);
        return run;
      }
      if (answer !== null && answer.status < 500 && answer.status !== 429) {
        const text = `${answer.status} ${JSON.stringify(answer.body)}`;
        history.add({ kind: "refused", at: Date.now(), instance: answer.instance, key, answer: text });
        return undefined;
      }
      await sleep(this.#draws.between(50, 400) * 2 ** Math.min(tries, 3));
    }
  }

  async #askAfter(run: string): Promise<void> {
    let after = 2;
    while (after > 0 && !this.#stopping) {
      await sleep(this.#draws.between(500, 2_500));
      if (await this.look(run)) after -= 1;
    }
  }

  /** Asks any instance what became of the run; true: it has ended. */
  async look(run: string): Promise<boolean> {
    const { history } = this.#options;
    const asked = history.events.length;
    const answer = await this.#anybody({ path: `/api/v1/runs/${run}` });
    if (answer === null) return false;
    const at = Date.now();
    const status = answer.status === 200 ? textOf(answer.body, "status") : undefined;
    if (status !== undefined) {
      history.add({ kind: "told", at, instance: answer.instance, run, status, asked, ...toldBeside(answer.body) });
      this.#statuses.set(run, status);
      return ENDED.has(status);
    }
    if (answer.status === 404) history.add({ kind: "unknown", at, instance: answer.instance, run });
    return false;
  }

  #anybody(asked: Asked): Promise<Answer | null> {
    return askAnybody(this.#options.instances, this.#draws, asked);
  }
}

function toldBeside(body: unknown): { progress?: Progress; output?: unknown } {
  const { progress, output } = body as { progress?: Partial<Progress> | null; output?: unknown };
  // What a function says of itself is of any shape.
  const { done, failed, skipped } = progress ?? {};
  return {
    ...(done !== undefined && failed !== undefined && skipped !== undefined && { progress: { done, failed, skipped } }),
    ...(output != null && { output }),
  };
}
