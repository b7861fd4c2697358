import type { RunStore } from "../../store/run-store.js";
import type { MemoryWorld } from "../../stores/memory/world.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { InvariantBroken } from "../invariant-broken.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";

/** Invariant 8: what a run was to be begun by is counted by the store's clock, and binds whoever claims it. */
export class StartWatch {
  readonly #world: MemoryWorld;
  readonly #clock: ManualClock;
  readonly #journal: JournalWatch;
  readonly #breaches: Breaches;
  /** How wrong a process may be about the store's clock: it may have waited that long for the answer that told it. */
  readonly #slackMs: number;
  readonly #late = new Set<string>();

  constructor(
    world: MemoryWorld,
    clock: ManualClock,
    journal: JournalWatch,
    options: { readonly breaches: Breaches; readonly leaseMs: number },
  ) {
    this.#world = world;
    this.#clock = clock;
    this.#journal = journal;
    this.#breaches = options.breaches;
    this.#slackMs = 1.6 * options.leaseMs;
  }

  watch(store: RunStore): RunStore {
    return {
      ...store,
      claim: async (request) => {
        const claimed = await store.claim(request);
        for (const { run } of claimed) if (run.fence === 1) this.#claimed(run.id);
        return claimed;
      },
    };
  }

  #claimed(id: string): void {
    const run = this.#world.runs.get(id);
    const limitMs = this.#journal.planOf(id)?.startTimeoutMs ?? null;
    // What undoes another run does not begin: it goes back.
    if (run === undefined || limitMs === null || (run.parentId !== null && run.restartedFrom !== null)) return;
    if (this.#clock.now() > run.createdAt + limitMs + this.#slackMs) this.#late.add(id);
  }

  checkAtEnd(): void {
    for (const id of this.#late) {
      const records = this.#journal.runs.get(id)?.rows.flatMap((row) => row.records) ?? [];
      this.#breaches.check(() => {
        const begun = records.findIndex(({ kind }) => kind === "dispatched" || kind === "suspended");
        // An operator who led it on gave it its time again.
        const isLedOn = records.slice(0, begun).some(({ kind }) => kind === "resumed" || kind === "retry-requested");
        if (begun >= 0 && !isLedOn)
          throw new InvariantBroken(8, `run ${id} was begun though its time to begin was over`);
      }, [8]);
    }
  }
}
