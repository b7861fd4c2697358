import type { JournalRecord } from "../../engine/records.js";
import type { RunStore } from "../../store/run-store.js";

/** What a process reads of a journal when it takes a run over. */
export function withClaimedRecords(
  store: RunStore,
  change: (records: readonly JournalRecord[]) => readonly JournalRecord[],
): RunStore {
  return {
    ...store,
    claim: async (request) =>
      (await store.claim(request)).map((claimed) => ({
        ...claimed,
        rows: claimed.rows.map((row) => ({ ...row, records: change(row.records) })),
      })),
  };
}
