import type { JournalRow } from "./records.js";

interface Snapshot {
  readonly fence: number;
  readonly n: number;
  readonly seq: number;
}

/**
 * Whether the journal knows of it: the row that it says it was written with is there, of the same owner, and says so. What an owner
 * wrote that had been replaced, what was written in part, and what is from beyond the journal's end is not used.
 */
export function isOfJournal(rows: readonly JournalRow[], { seq, fence, n }: Snapshot): boolean {
  const row = rows[seq - 1];
  if (row?.seq !== seq || row.fence !== fence) return false;
  return row.records.some((record) => record.kind === "checkpointed" && record.n === n);
}

/** The newest that the journal knows of; null: none. By the journal's rows from the first one on. */
export function goodCheckpoint<Found extends Snapshot>(
  rows: readonly JournalRow[],
  newestFirst: readonly Found[],
): Found | null {
  return newestFirst.find((checkpoint) => isOfJournal(rows, checkpoint)) ?? null;
}
