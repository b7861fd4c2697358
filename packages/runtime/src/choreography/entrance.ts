import type { JournalRecord, JournalRow } from "../engine/records.js";
import type { RunRow } from "../store/run-store.js";
import { entered, entryOf } from "./unit-entry.js";

/** What a unit's run begins with. Null once it has begun. */
export function entrance(run: RunRow, rows: readonly JournalRow[]): JournalRecord | null {
  if (rows.some(({ records }) => records.some(({ kind }) => kind === "entered" || kind === "finished"))) return null;
  const { run: of, carried, isDead } = entryOf(run);
  if (!isDead) return entered(of, carried);
  const error = { code: "undone-before", message: "the saga was undone before this stage began; it never will" };
  return { kind: "finished", status: "cancelled", error };
}
