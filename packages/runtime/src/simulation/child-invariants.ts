import type { Direction, EndStatus, JournalRecord, JournalRow } from "../engine/records.js";
import { InvariantBroken } from "./invariant-broken.js";

/** What steps that run other sagas promise, judged by the parent's journal and by what became of the children. */

/** How the run ended that the step, or its compensation, joined last; null: it joined none. */
export function joinedAs(records: readonly JournalRecord[], step: string, direction: Direction): EndStatus | null {
  return endOf(records, lastJoin(records, step, direction));
}

function lastJoin(records: readonly JournalRecord[], step: string, direction: Direction): number {
  return records.findLastIndex(
    (record) => record.kind === "joined" && record.step === step && record.direction === direction,
  );
}

function endOf(records: readonly JournalRecord[], join: number): EndStatus | null {
  const joined = records[join];
  if (joined?.kind !== "joined") return null;
  const end = records.slice(0, join).findLast((each) => each.kind === "child-ended" && each.child === joined.child);
  if (end?.kind !== "child-ended")
    throw new InvariantBroken(3, `"${joined.step}" joins run ${joined.child}, which goes on`);
  return end.status;
}

/**
 * What is known of the run that the step started: that it left, or may yet leave, something to be undone. With the place from
 * which on nothing is known: `from` is 0 when the step has joined no run.
 */
export function childMayHaveRun(records: readonly JournalRecord[], step: string): { known: boolean; from: number } {
  const join = lastJoin(records, step, "forward");
  const end = endOf(records, join);
  const since = records.slice(join + 1);
  const isThere = since.some(
    (record) =>
      record.kind === "suspended" && record.step === step && record.direction !== "compensate" && record.child,
  );
  const failed = records.some(
    (record, at) => record.kind === "joined" && record.step === step && endOf(records, at) === "failed",
  );
  return { known: isThere || end === "completed" || failed, from: join + 1 };
}

/** Nothing is left of what the step's child did. */
export function childIsUndone(records: readonly JournalRecord[], step: string): boolean {
  // Another one is to be undone after it.
  const again = records.findLastIndex((record) => record.kind === "dispatched" && record.step === step);
  if (again > lastJoin(records, step, "compensate")) return false;
  const end = joinedAs(records, step, "compensate");
  return end === "compensated" || end === "cancelled";
}

/** What a run inherits, as if it had done it itself. */
export function withInherited(record: JournalRecord): readonly JournalRecord[] {
  if (record.kind !== "inherited") return [record];
  return record.steps.flatMap(({ step, round = 1, outcome, output = null, items }): JournalRecord[] => {
    if (items !== undefined)
      return [
        { kind: "expanded", step, items },
        { kind: "gathered", step, attempt: 1 },
      ];
    const base = { step, attempt: 1 };
    const dispatched = { ...base, kind: "dispatched", direction: "forward", round } as const;
    if (outcome === "completed") return [dispatched, { ...base, kind: "completed", output }];
    const error = { code: "inherited", message: "inherited" };
    return [dispatched, { ...base, kind: "failed", direction: "forward", error, refused: false, mayHaveRun: true }];
  });
}

/** A parent that was undone has no child that goes on, unless an operator took it upon him. */
export function checkChildrenAtEnd(rows: readonly JournalRow[], end: EndStatus, open: readonly string[]): void {
  const skipped = rows.some((row) => row.records.some(({ kind }) => kind === "compensation-skipped"));
  if (open.length > 0 && end !== "failed" && !skipped)
    throw new InvariantBroken(5, `the run ended ${end}, and its child ${open[0]} goes on`);
}
