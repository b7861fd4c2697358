/** What this process's consumer has done since it started, for metrics. */
export class ConsumerCounts {
  handled = 0;
  /** Events that came again after they had been handled. */
  duplicates = 0;
  /** Attempts that failed, those that took too long included. */
  failed = 0;
  timedOut = 0;
  parked = 0;
  /** Parked events that were handled after all. */
  redriven = 0;
  /** Transactions of several events that were committed. */
  batches = 0;
  /** Those that were undone, and their events handled each by itself. */
  batchesUndone = 0;
}
