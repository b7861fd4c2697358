import type { RunPlan } from "../../engine/plan.js";
import type { RunStore, StepTransaction } from "../../store/run-store.js";
import type { MemoryWorld } from "../../stores/memory/world.js";
import type { EffectLedger } from "../effect-ledger.js";
import { isTransacted } from "../transacted-step.js";
import { beginOn } from "./begin-on.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";

export interface EffectWatchOptions {
  readonly world: MemoryWorld;
  readonly journal: JournalWatch;
  readonly breaches: Breaches;
  /** What transactions did is a participant's effect as well. */
  readonly ledgerOf: (run: string) => EffectLedger;
}

interface Dues {
  /** Of the journal, read so far. */
  rows: number;
  readonly times: Map<string, number>;
}

/** Where a step's transaction keeps how often it had its effect. */
export function effectKey(run: string, step: string): string {
  return `${run}:${step}`;
}

/**
 * Judges the effects of steps' transactions at every moment at which one may have changed: each is there exactly once
 * when the journal says that its step completed, and not at all before that, or after its compensation.
 */
export class EffectWatch {
  readonly #options: EffectWatchOptions;
  readonly #dues = new Map<string, Dues>();
  commits = 0;

  constructor(options: EffectWatchOptions) {
    this.#options = options;
  }

  /** The store as one process sees it, around what reads its journal. */
  watch(store: RunStore): RunStore {
    return {
      ...store,
      append: async (appends) => {
        const results = await store.append(appends);
        for (const { run } of appends) this.#check(run);
        return results;
      },
      begin: async () => this.#watched(await beginOn(store)),
    };
  }

  #watched(transaction: StepTransaction): StepTransaction {
    const { ledgerOf, world, breaches } = this.#options;
    return {
      client: transaction.client,
      check: () => transaction.check(),
      commit: async (append) => {
        const result = await transaction.commit(append);
        for (const record of result.kind === "appended" ? append.records : []) {
          if (record.kind !== "completed" && record.kind !== "compensated") continue;
          const direction = record.kind === "completed" ? "forward" : "compensate";
          if (this.#isTransacted(append.run, record.step)) ledgerOf(append.run).apply(record.step, direction);
        }
        const written = world.runs.get(append.run)?.journal[append.seq - 1]?.appendId === append.appendId;
        const message = () => `row ${append.seq} of run ${append.run} is answered ${result.kind}`;
        breaches.expect(written === (result.kind === "appended"), 2, message);
        this.commits += 1;
        this.#check(append.run);
        return result;
      },
      rollback: async () => {
        await transaction.rollback();
        this.checkAll();
      },
    };
  }

  checkAll(): void {
    for (const run of this.#options.journal.runs.keys()) this.#check(run);
  }

  #isTransacted(run: string, step: string): boolean {
    return this.#duesOf(run)?.times.has(step) === true;
  }

  /** What the journal, as far as it is read, says of each transacted step: how often its effect is there. */
  #duesOf(id: string): Dues | undefined {
    const run = this.#options.journal.runs.get(id);
    if (run === undefined) return undefined;
    const dues = this.#dues.get(id) ?? { rows: 0, times: new Map(transactedSteps(run.plan).map((name) => [name, 0])) };
    this.#dues.set(id, dues);
    for (const record of run.rows.slice(dues.rows).flatMap((row) => row.records)) {
      if (record.kind !== "completed" && record.kind !== "compensated") continue;
      if (dues.times.has(record.step)) dues.times.set(record.step, record.kind === "completed" ? 1 : 0);
    }
    dues.rows = run.rows.length;
    return dues;
  }

  #check(id: string): void {
    const { world, breaches } = this.#options;
    for (const [name, due] of this.#duesOf(id)?.times ?? []) {
      const times = Number(world.values.get(effectKey(id, name)) ?? 0);
      const message = () => `the effect of "${name}" in run ${id} is there ${times} times, not ${due}`;
      breaches.expect(times === due, 4, message);
    }
  }
}

function transactedSteps({ steps }: RunPlan): string[] {
  return [...steps.values()].filter(({ definition }) => isTransacted(definition)).map(({ name }) => name);
}
