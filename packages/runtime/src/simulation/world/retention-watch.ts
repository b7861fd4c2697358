import type { RunStore } from "../../store/run-store.js";
import type { MemoryWorld, StoredRun } from "../../stores/memory/world.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { InvariantBroken } from "../invariant-broken.js";
import type { Breaches } from "./breaches.js";

/** Invariant 14: deleted is what has ended, once its time is over, and nothing else. */
export class RetentionWatch {
  /** What was deleted, as it was. */
  readonly deleted = new Map<string, StoredRun>();
  readonly #world: MemoryWorld;
  readonly #clock: ManualClock;
  readonly #breaches: Breaches;
  readonly #endedMs: number | null;

  constructor(world: MemoryWorld, clock: ManualClock, breaches: Breaches, endedMs: number | null) {
    this.#world = world;
    this.#clock = clock;
    this.#breaches = breaches;
    this.#endedMs = endedMs;
  }

  watch(store: RunStore): RunStore {
    return {
      ...store,
      prune: async (endedBefore, limit) => {
        const before = [...this.#world.runs.values()];
        const deleted = await store.prune(endedBefore, limit);
        for (const run of before) if (!this.#world.runs.has(run.id)) this.#deleted(run);
        return deleted;
      },
    };
  }

  #deleted(run: StoredRun): void {
    this.deleted.set(run.id, run);
    this.#breaches.check(() => {
      const age = run.endedAt === null ? null : this.#clock.now() - run.endedAt;
      // A process may believe the store's clock to be a little ahead.
      if (age === null || this.#endedMs === null || age < this.#endedMs - 1_000)
        throw new InvariantBroken(14, `run ${run.id}, ${run.status}, is deleted ${age} ms after its end`);
      if (this.#isNeeded(run))
        throw new InvariantBroken(14, `run ${run.id} is deleted while run ${run.rootId}, which started it, goes on`);
    }, [14]);
  }

  /** It may yet be undone. */
  #isNeeded({ id, rootId }: StoredRun): boolean {
    const root = this.#world.runs.get(rootId);
    return root !== undefined && root.id !== id && root.endedAt === null;
  }

  /** Long after everything ended nothing is left of it. */
  checkAtEnd(): void {
    if (this.#endedMs === null) return;
    const left = [...this.#world.runs.values()].filter((run) => run.endedAt !== null && !this.#isNeeded(run));
    this.#breaches.expect(left.length === 0, 14, () => `${left.length} runs that ended are kept for ever`);
  }
}
