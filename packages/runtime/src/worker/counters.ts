import type { JournalRecord } from "../engine/records.js";

/** What this worker has done since it started, for metrics. */
export class Counters {
  stepsCompleted = 0;
  stepsFailed = 0;
  stepsRetried = 0;
  compensations = 0;
  appends = 0;
  leaseLost = 0;

  count(record: JournalRecord): void {
    if (record.kind === "completed") this.stepsCompleted += 1;
    if (record.kind === "compensated") this.compensations += 1;
    if (record.kind !== "failed") return;
    if (record.retryAfterMs === undefined) this.stepsFailed += 1;
    else this.stepsRetried += 1;
  }
}
