import type { JournalRecord } from "../../engine/records.js";
import type { MemoryWorld, StoredRun } from "../../stores/memory/world.js";
import { childRunId, undoRunId } from "../../worker/child-run-id.js";
import { checkChildrenAtEnd } from "../child-invariants.js";
import type { EffectLedger } from "../effect-ledger.js";
import { InvariantBroken } from "../invariant-broken.js";
import { checkAtEnd } from "../invariants.js";
import type { Breaches } from "./breaches.js";
import type { WatchedRun } from "./watched-run.js";

/** Generations of children of one step that are looked for: an operator resumes a run a few times at most. */
const GENERATIONS = 20;

/**
 * Runs and the runs they started, seen from outside: a child is made once, has ended when its parent goes on, and what a parent
 * was told of it is true. A run and the one that undoes it have one ledger, for participants know one run.
 */
export class FamilyWatch {
  readonly #world: MemoryWorld;
  readonly #runs: ReadonlyMap<string, WatchedRun>;
  readonly #breaches: Breaches;
  #deleted: ReadonlyMap<string, StoredRun> = new Map();

  constructor(world: MemoryWorld, runs: ReadonlyMap<string, WatchedRun>, breaches: Breaches) {
    this.#world = world;
    this.#runs = runs;
    this.#breaches = breaches;
  }

  /** A record of a journal, as it is written. */
  checkRecord(run: WatchedRun, record: JournalRecord): void {
    if (record.kind === "finished") this.#breaches.check(() => this.#checkTold(run.id), [3]);
    // What other kinds of steps wait for is no run.
    if (!run.plan.hasChildren) return;
    if (record.kind === "suspended" && record.child !== undefined)
      this.#breaches.expect(
        this.#world.runs.has(record.child),
        4,
        () => `run ${run.id} waits for ${record.child}, which is not there`,
      );
    this.#checkEnd(run, record);
  }

  /** Its end and the message that tells its parent are one write. */
  #checkTold(id: string): void {
    const parent = this.#world.runs.get(this.#world.runs.get(id)?.parentId ?? "");
    if (parent !== undefined && parent.endedAt === null && !parent.inbox.has(`end:${id}`))
      throw new InvariantBroken(3, `run ${id} ended, and its parent ${parent.id} is not told`);
  }

  #checkEnd(parent: WatchedRun, record: JournalRecord): void {
    if (record.kind !== "child-ended" && record.kind !== "joined") return;
    this.#breaches.check(() => {
      const end = this.#runs.get(record.child)?.state.end ?? null;
      if (end === null)
        throw new InvariantBroken(3, `run ${parent.id} goes on, and its child ${record.child} does too`);
      if (record.kind === "child-ended" && record.status !== end.status)
        throw new InvariantBroken(1, `run ${parent.id} takes ${end.status} of its child for ${record.status}`);
    }, [1, 3]);
  }

  /** `deleted`: runs that ended, and are no longer kept. */
  checkAtEnd(ledgerOf: (run: string) => EffectLedger, deleted: ReadonlyMap<string, StoredRun>): void {
    this.#deleted = deleted;
    for (const run of this.#runs.values()) {
      const stored = this.#find(run.id);
      if (stored === undefined) continue;
      this.#breaches.check(() => this.#checkOrigin(stored), [4]);
      this.#breaches.check(() => this.#checkChildren(run), [5]);
      if (this.#undoes(stored)) continue;
      const undoing = this.#runs.get(undoRunId(run.id));
      const rows = [...run.rows, ...(undoing?.rows ?? [])];
      const { state } = undoing ?? run;
      const ledger = this.#withChildren(run, ledgerOf(run.id));
      this.#breaches.check(() => checkAtEnd({ plan: run.plan, rows, state, ledger }), [3, 5, 6]);
    }
  }

  /** What a step's children did is what the step did. */
  #withChildren(run: WatchedRun, ledger: EffectLedger): Pick<EffectLedger, "has" | "order"> {
    const { plan } = run;
    return {
      order: ledger.order,
      has: (act) => {
        const { step, direction, round } = act;
        if (plan.steps.get(step)?.definition.kind !== "child") return ledger.has(act);
        const left = this.#idsOf(run.id, step, round).filter((id) => {
          const status = this.#find(id)?.status;
          return status === "completed" || status === "failed";
        });
        const isUndone = (id: string) => this.#find(undoRunId(id))?.status === "compensated";
        return left.length > 0 && (direction === "forward" || left.every(isUndone));
      },
    };
  }

  #idsOf(parent: string, step: string, round: number): string[] {
    const keyRun = this.#runs.get(parent)?.state.origin?.run ?? parent;
    const key = round === 1 ? step : `${step}:r${round}`;
    return Array.from({ length: GENERATIONS }, (_, n) => childRunId(keyRun, n === 0 ? key : `${key}:${n + 1}`));
  }

  #find(id: string): StoredRun | undefined {
    return this.#world.runs.get(id) ?? this.#deleted.get(id);
  }

  #undoes({ id, restartedFrom }: StoredRun): boolean {
    return restartedFrom !== null && id === undoRunId(restartedFrom);
  }

  /** Whatever was started by another run has the id that follows from its step there. */
  #checkOrigin(stored: StoredRun): void {
    const { id, parentId } = stored;
    if (parentId === null || this.#undoes(stored)) return;
    const parent = this.#runs.get(parentId);
    for (const { name, round } of parent?.state.steps.values() ?? [])
      for (let each = 1; each <= round; each++) if (this.#idsOf(parentId, name, each).includes(id)) return;
    throw new InvariantBroken(4, `run ${id} is a child of ${parentId} that none of its steps can have started`);
  }

  #checkChildren({ id, rows, state }: WatchedRun): void {
    if (state.end === null) return;
    const children = [...this.#world.runs.values()].filter((run) => run.parentId === id && run.endedAt === null);
    checkChildrenAtEnd(
      rows,
      state.end.status,
      children.map((run) => run.id),
    );
  }
}
