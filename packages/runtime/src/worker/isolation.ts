/** What a driver shows of itself, so that others can be kept apart from it. */
export interface IsolatedRun {
  readonly run: { readonly id: string };
  /** Whether an attempt of it is under way. */
  readonly isBusy: boolean;
  /** Asks it to decide anew. */
  wake(): void;
}

interface Current {
  readonly id: string;
  readonly alone: boolean;
  /** Null: it left this process, and may still be this worker's in the store: a crash would be counted against it. */
  by: IsolatedRun | null;
}

/**
 * Keeps runs that may have killed a process apart (see engine/crashes.ts): one suspect at a time is advanced by a worker. One
 * that must be alone waits until no attempt of another run is under way here, and meanwhile none is begun.
 */
export class Isolation {
  readonly #others: () => Iterable<IsolatedRun>;
  readonly #isCreating: () => boolean;
  #current: Current | null = null;
  /** Those that asked in vain, in the order they came. */
  readonly #waiting = new Set<IsolatedRun>();

  /** `isCreating`: a run is being created that may begin an attempt. */
  constructor(others: () => Iterable<IsolatedRun>, isCreating: () => boolean) {
    this.#others = others;
    this.#isCreating = isCreating;
  }

  /** True: no run but the isolated one may begin an attempt. */
  get isClosed(): boolean {
    return this.#current?.alone === true;
  }

  /** Whether the suspect may begin an attempt now; when not, it is woken once it may. */
  enter(run: IsolatedRun, alone: boolean): boolean {
    this.#current ??= { id: run.run.id, alone, by: run };
    if (this.#current.id === run.run.id) {
      this.#current.by = run;
      if (!alone || this.#isQuietBut(run)) return true;
    }
    this.#waiting.add(run);
    return false;
  }

  /** Whether a run that is no suspect, or no longer, may begin an attempt now; when not, it is woken once it may. */
  pass(run: IsolatedRun): boolean {
    if (!this.isClosed || this.#current?.id === run.run.id) return true;
    this.#waiting.add(run);
    return false;
  }

  /** Nothing of the run is under way that would have to be isolated, or it is gone. */
  leave(run: IsolatedRun): void {
    this.#waiting.delete(run);
    const current = this.#current;
    if (current?.id !== run.run.id || (current.by !== null && current.by !== run)) return;
    this.#release();
  }

  /** It is gone, and perhaps still this worker's: nobody takes its place until a renewal tells. */
  leaveInDoubt(run: IsolatedRun): void {
    this.#waiting.delete(run);
    if (this.#current?.by === run) this.#current.by = null;
  }

  /** The store told which runs are this worker's. */
  renewed(isOurs: (run: string) => boolean): void {
    if (this.#current !== null && this.#current.by === null && !isOurs(this.#current.id)) this.#release();
  }

  #release(): void {
    this.#current = null;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    // Each asks again, in turn, and waits again if it must.
    this.#wake(waiting);
  }

  /** An attempt ended, a run is gone: one that must be alone may be so now. */
  settled(): void {
    const run = this.#current?.by ?? null;
    if (run === null || !this.#waiting.has(run) || !this.#isQuietBut(run)) return;
    this.#waiting.delete(run);
    this.#wake([run]);
  }

  #isQuietBut(run: IsolatedRun): boolean {
    if (this.#isCreating()) return false;
    for (const other of this.#others()) if (other !== run && other.isBusy) return false;
    return true;
  }

  /** Not within the call of the one that left. */
  #wake(runs: readonly IsolatedRun[]): void {
    void Promise.resolve().then(() => {
      for (const run of runs) run.wake();
    });
  }
}
