import { partsOf, plannedOf } from "../../engine/items.js";
import { stepOf } from "../../engine/state.js";
import type { RunStore, StepTransaction } from "../../store/run-store.js";
import type { MemoryWorld } from "../../stores/memory/world.js";
import type { EffectLedger } from "../effect-ledger.js";
import { isTransacted } from "../transacted-step.js";
import { beginOn } from "./begin-on.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";
import type { WatchedRun } from "./watched-run.js";

export interface EffectWatchOptions {
  readonly world: MemoryWorld;
  readonly journal: JournalWatch;
  readonly breaches: Breaches;
  /** What transactions did is a participant's effect as well. */
  readonly ledgerOf: (run: string) => EffectLedger;
}

/** Where a step's transaction keeps how often it had its effect. */
export function effectKey(run: string, step: string): string {
  return `${run}:${step}`;
}

/**
 * Judges the effects of steps' transactions at every moment at which one may have changed: each is there exactly as often as the
 * journal says that its step completed, once in a round, and not at all before that, or after its compensation.
 */
export class EffectWatch {
  readonly #options: EffectWatchOptions;
  /** How often each effect is there, as the journals say that were read so far. By its key. */
  readonly #due = new Map<string, number>();
  /** In which each step was dispatched last. By the same key. */
  readonly #rounds = new Map<string, number>();
  /** Rows read, by run. */
  readonly #read = new Map<string, number>();
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
    const { world, breaches } = this.#options;
    return {
      client: transaction.client,
      check: () => transaction.check(),
      commit: async (append) => {
        const result = await transaction.commit(append);
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

  /** Of a run, or of the one that it undoes. */
  #check(id: string): void {
    const { world, breaches, journal } = this.#options;
    const run = journal.runs.get(id);
    if (run === undefined) return;
    const origin = originOf(run);
    const undone = journal.runs.get(origin);
    if (undone !== undefined) this.#readOn(undone);
    this.#readOn(run);
    for (const name of transactedParts(run)) {
      const key = effectKey(origin, name);
      const [times, due] = [Number(world.values.get(key) ?? 0), this.#due.get(key) ?? 0];
      const message = () => `the effect of "${name}" in run ${origin} is there ${times} times, not ${due}`;
      breaches.expect(times === due, 4, message);
    }
  }

  #readOn(run: WatchedRun): void {
    const { ledgerOf } = this.#options;
    const rows = run.rows.slice(this.#read.get(run.id) ?? 0);
    this.#read.set(run.id, run.rows.length);
    for (const record of rows.flatMap((row) => row.records)) {
      if (!("step" in record) || record.step === undefined) continue;
      const { step } = record;
      const planned = plannedOf(run.plan, step);
      if (planned === undefined || !isTransacted(planned.definition)) continue;
      const key = effectKey(originOf(run), step);
      if (record.kind === "dispatched") this.#rounds.set(key, record.round);
      if (record.kind !== "completed" && record.kind !== "compensated") continue;
      const forward = record.kind === "completed";
      // In a new round it has its effect again, beside an earlier one that nothing undoes.
      this.#due.set(key, forward ? (this.#due.get(key) ?? 0) + 1 : 0);
      const direction = forward ? "forward" : "compensate";
      ledgerOf(originOf(run)).apply({ step, direction, round: this.#rounds.get(key) ?? 1 });
    }
  }
}

/** Whose effects a run's are: of the run that it undoes, or its own. */
function originOf({ id, state }: WatchedRun): string {
  return state.origin?.run ?? id;
}

/** Steps, and the items that have begun of those that map over a list. */
function transactedParts({ plan, state }: WatchedRun): string[] {
  const steps = [...plan.steps.values()].filter(({ definition }) => isTransacted(definition));
  return steps.flatMap(({ name }) => partsOf(stepOf(state, name)).map((part) => part.name));
}
