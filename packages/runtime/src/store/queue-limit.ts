/**
 * What a queue may do at once, over all instances: the same for everybody who claims from it. Judged by the store in `claim`. A run holds
 * its place from when it begins until it ends, also while it waits; one that is parked, `stuck` or `paused`, does not.
 */
export interface QueueLimit {
  readonly queue: string;
  /** Places in the queue, from 1; null: any number. */
  readonly concurrency: number | null;
  /** Places of the runs with one `partitionKey`, from 1; null: any number. Runs without a key are not limited by it. */
  readonly concurrencyPerKey: number | null;
  /** Runs that begin within any window of that length, ms; null: any number. */
  readonly rateLimit: { readonly max: number; readonly windowMs: number } | null;
}

/** How a queue stands. Times are the store's, ms since the epoch. */
export interface QueueState {
  readonly queue: string;
  /** Runs that are due and wait for a place. */
  readonly waiting: number;
  /** Runs that are to begin later. */
  readonly delayed: number;
  /** Places that are held. */
  readonly running: number;
  /**
   * When the next run begins, as far as time decides: the present or before when there is room for one that waits; later when the rate, or
   * the delay of the first one, holds it up. Null: nothing waits, or it waits for a place to get free.
   */
  readonly nextStartAt: number | null;
}
