import type { MemoryWorld } from "../../stores/memory/world.js";
import { crashesOf } from "../crash-invariants.js";
import { InvariantBroken } from "../invariant-broken.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";

/** Invariant 13 seen from outside: knows who killed a process, and judges what its runs said of themselves then. */
export class CrashWatch {
  readonly #world: MemoryWorld;
  readonly #journal: JournalWatch;
  readonly #breaches: Breaches;

  constructor(world: MemoryWorld, journal: JournalWatch, breaches: Breaches) {
    this.#world = world;
    this.#journal = journal;
    this.#breaches = breaches;
  }

  /** `culprit`: the run that killed the process. */
  died(process: string, culprit: string): void {
    for (const { id, fence, owner } of this.#world.runs.values()) {
      if (owner === null || this.#journal.ownerOf(id, fence) !== process) continue;
      const run = this.#journal.runs.get(id);
      const records = run?.rows.flatMap((row) => row.records) ?? [];
      // Participants know a run that is undone by its own id, not by that of the one that undoes it.
      const known = run?.state.origin?.run ?? id;
      this.#breaches.check(() => {
        if (known !== culprit && crashesOf(records).isolated === "alone")
          throw new InvariantBroken(13, `run ${id} was driven alone, and run ${culprit} killed ${process}`);
      }, [13]);
    }
  }
}
