import { firstRecordsAfter, firstRecordsOf } from "../engine/first-records.js";
import type { JournalRecord } from "../engine/records.js";
import type { Logger } from "../log.js";
import type { Ports } from "../ports.js";
import type { CreateResult, CreateRun, RunStore } from "../store/run-store.js";
import { CoalescingQueue } from "./coalescing-queue.js";
import type { PlanRegistry, Worker } from "./worker.js";

export interface NewRunsOptions {
  readonly store: Pick<RunStore, "create">;
  readonly plans: Pick<PlanRegistry, "find">;
  readonly worker: Pick<Worker, "appendId" | "claimOnCreate" | "created" | "poke" | "pokeAfter">;
  readonly ports: Ports;
  readonly logger: Logger;
}

/** Runs that begin: one write creates each, and, where this process may drive it, claims it with the first row of its journal. */
export class NewRuns {
  readonly #options: NewRunsOptions;
  readonly #creates: CoalescingQueue<CreateRun, CreateResult>;

  constructor(options: NewRunsOptions) {
    const { store, ports, logger } = options;
    this.#options = options;
    this.#creates = new CoalescingQueue({ name: "new runs", ports, logger, send: (runs) => store.create(runs) });
  }

  /** As `CoalescingQueue.outage`. */
  get outage(): string | null {
    return this.#creates.outage;
  }

  close(): void {
    this.#creates.close();
  }

  /** What `create` needs to claim it; null: others should have it. A run for which there is one is created next. `first`: what its journal begins with. */
  claim(id: string, definition: string, version: string, first?: JournalRecord): CreateRun["claim"] {
    const { plans, worker } = this.#options;
    const plan = plans.find(definition, version);
    if (plan === undefined) return null;
    const records = first === undefined ? firstRecordsOf(plan) : firstRecordsAfter(plan, first);
    const owner = worker.claimOnCreate(id);
    return owner === null ? null : { worker: owner, appendId: worker.appendId(), records };
  }

  /** Errors: those of the store, `overloaded`, `runtime-stopped`. */
  async create(run: CreateRun): Promise<CreateResult> {
    const { worker } = this.#options;
    let result: CreateResult;
    try {
      result = await this.#creates.push(run);
    } catch (error) {
      if (run.claim !== null) worker.created(run.id, null, null);
      throw error;
    }
    const created = result.kind === "created" ? result : null;
    if (run.claim !== null) worker.created(run.id, created?.run ?? null, created?.row ?? null);
    if (run.delayMs !== undefined && run.delayMs > 0) worker.pokeAfter(run.delayMs);
    else if (created?.row === null) worker.poke();
    return result;
  }
}
