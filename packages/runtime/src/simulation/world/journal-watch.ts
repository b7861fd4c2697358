import { rollbackStatusOf, statusOf } from "../../engine/decide.js";
import { foldRecord } from "../../engine/fold.js";
import type { RunPlan } from "../../engine/plan.js";
import type { JournalRow } from "../../engine/records.js";
import { newState, type RunState } from "../../engine/state.js";
import type { Append, AppendResult, ClaimedRun, CreateResult, CreateRun, RunStore } from "../../store/run-store.js";
import { journalRow, type MemoryWorld, type StoredRun } from "../../stores/memory/world.js";
import { InvariantBroken } from "../invariant-broken.js";
import { checkRow } from "../invariants.js";
import { beginOn } from "./begin-on.js";
import type { Breaches } from "./breaches.js";
import { FamilyWatch } from "./family-watch.js";
import type { WatchedRun } from "./watched-run.js";

export type FindPlan = (definition: string, version: string) => RunPlan;

/**
 * Sits beside the store and reads every row as it is written: the rules of a journal, one owner per fence, and that the
 * run's row says what the journal says.
 */
export class JournalWatch {
  readonly runs = new Map<string, WatchedRun>();
  readonly family: FamilyWatch;
  readonly #world: MemoryWorld;
  readonly #findPlan: FindPlan;
  readonly #breaches: Breaches;
  /** The process that holds a fence, by `<run> <fence>`. */
  readonly #owners = new Map<string, string>();

  constructor(world: MemoryWorld, findPlan: FindPlan, breaches: Breaches) {
    this.#world = world;
    this.#findPlan = findPlan;
    this.#breaches = breaches;
    this.family = new FamilyWatch(world, this.runs, breaches);
  }

  get rows(): number {
    return [...this.runs.values()].reduce((sum, run) => sum + run.rows.length, 0);
  }

  /** How many records there are of each kind. */
  records(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { rows } of this.runs.values())
      for (const { kind } of rows.flatMap((row) => row.records)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }

  planOf(run: string): RunPlan | undefined {
    const stored = this.#world.runs.get(run);
    return stored && this.#findPlan(stored.definition, stored.version);
  }

  ownerOf(run: string, fence: number): string | undefined {
    return this.#owners.get(`${run} ${fence}`);
  }

  /** The store as one process sees it. */
  watch(store: RunStore, process: string): RunStore {
    return {
      ...store,
      create: async (runs) => this.#created(process, runs, await store.create(runs)),
      claim: async (request) => this.#claimed(process, await store.claim(request)),
      append: async (appends) => this.#appended(process, appends, await store.append(appends)),
      begin: async () => {
        const transaction = await beginOn(store);
        return {
          ...transaction,
          commit: async (append) => {
            const result = await transaction.commit(append);
            this.#appended(process, [append], [result]);
            return result;
          },
        };
      },
    };
  }

  #created(process: string, runs: readonly CreateRun[], results: CreateResult[]): CreateResult[] {
    for (const [index, result] of results.entries()) {
      if (result.kind === "created" && result.row !== null && runs[index]?.claim !== null)
        this.#own(result.run.id, 1, process, "again");
    }
    this.#read();
    return results;
  }

  #claimed(process: string, claimed: ClaimedRun[]): ClaimedRun[] {
    for (const { run } of claimed) this.#own(run.id, run.fence, process, "new");
    this.#read();
    return claimed;
  }

  #appended(process: string, appends: readonly Append[], results: AppendResult[]): AppendResult[] {
    for (const [index, { run, fence }] of appends.entries()) {
      if (results[index]?.kind !== "appended") continue;
      const owner = this.ownerOf(run, fence);
      this.#breaches.expect(owner === process, 2, () => `${process} appends under fence ${fence} of ${owner}`);
    }
    this.#read();
    return results;
  }

  #own(run: string, fence: number, process: string, claim: "new" | "again"): void {
    const owner = this.ownerOf(run, fence);
    const free = owner === undefined || (claim === "again" && owner === process);
    this.#breaches.expect(free, 2, () => `${process} takes fence ${fence} of run ${run}, which ${owner} has`);
    this.#owners.set(`${run} ${fence}`, process);
  }

  #read(): void {
    for (const stored of this.#world.runs.values()) {
      const run = this.#watched(stored);
      if (stored.journal.length === run.rows.length) continue;
      for (const row of stored.journal.slice(run.rows.length)) this.#take(run, journalRow(run.id, row));
      this.#breaches.check(() => checkRunRow(stored, run.state), [1, 6]);
    }
  }

  #watched(stored: StoredRun): WatchedRun {
    let run = this.runs.get(stored.id);
    if (run === undefined) {
      const plan = this.#findPlan(stored.definition, stored.version);
      run = { id: stored.id, plan, rows: [], state: newState(plan, stored.createdAt) };
      this.runs.set(stored.id, run);
    }
    return run;
  }

  #take(run: WatchedRun, row: JournalRow): void {
    const { plan, rows, state } = run;
    this.#breaches.check(() => {
      checkRow(plan, rows, row);
      if (row.seq !== rows.length + 1) throw new InvariantBroken(2, `row ${row.seq} follows row ${rows.length}`);
      try {
        for (const record of row.records) {
          this.family.checkRecord(run, record);
          foldRecord(plan, state, record, row.at);
        }
      } catch (error) {
        throw new InvariantBroken(
          1,
          `row ${row.seq} of run ${run.id} cannot follow the rows before it: ${String(error)}`,
        );
      }
    }, [1, 2, 3, 5, 6, 8]);
    state.seq = row.seq;
    state.fence = row.fence;
    rows.push(row);
  }
}

/** The run's row is a view of its journal. */
function checkRunRow(stored: StoredRun, state: RunState): void {
  const { id, status, rollbackStatus, endedAt } = stored;
  if ((state.end !== null) !== (endedAt !== null))
    throw new InvariantBroken(6, `run ${id} ended in its ${endedAt === null ? "journal" : "row"} alone`);
  const expected = statusOf(state, status === "waiting");
  if (status !== expected) throw new InvariantBroken(1, `run ${id} shows ${status}, its journal says ${expected}`);
  if (rollbackStatus !== rollbackStatusOf(state))
    throw new InvariantBroken(1, `run ${id} shows ${rollbackStatus}, its journal says ${rollbackStatusOf(state)}`);
}
