/**
 * Tells who waits for a run that it has ended, also when the end comes before the wait. For contenders whose own way of waiting polls:
 * their runs are awaited by what happens in this process once the end is durable.
 */
export class Ends {
  readonly #waiting = new Map<string, (error: Error | null) => void>();
  readonly #early = new Map<string, Error | null>();

  /** Resolves at the end of the run; rejects when it failed. */
  of(run: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => (error === null ? resolve() : reject(error));
      const early = this.#early.get(run);
      if (early === undefined) this.#waiting.set(run, settle);
      else {
        this.#early.delete(run);
        settle(early);
      }
    });
  }

  ended(run: string, error: Error | null): void {
    const settle = this.#waiting.get(run);
    if (settle === undefined) this.#early.set(run, error);
    else {
      this.#waiting.delete(run);
      settle(error);
    }
  }
}
