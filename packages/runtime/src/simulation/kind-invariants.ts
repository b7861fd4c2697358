import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord, JournalRow } from "../engine/records.js";
import { InvariantBroken } from "./invariant-broken.js";

/** What the kinds of steps promise, judged by the journal alone. */

type Of<Kind extends JournalRecord["kind"]> = JournalRecord & { readonly kind: Kind };

/** Checks the record at `index` of the last row against everything before it; `story`: what of it still counts. */
export function checkKind(
  plan: RunPlan,
  rows: readonly JournalRow[],
  index: number,
  story: readonly JournalRecord[],
): void {
  const row = rows.at(-1);
  const record = row?.records[index];
  if (row === undefined || record === undefined) return;
  const past = [...rows.slice(0, -1).flatMap((each) => each.records), ...row.records.slice(0, index)];
  switch (record.kind) {
    case "completed":
      return checkAwake(plan, rows, record, row.at);
    case "skipped":
    case "evaluated":
    case "expanded":
      return checkDecidedOnce(story, record.step);
    case "dispatched":
      if (story.some((other) => other.kind === "skipped" && other.step === record.step))
        throw new InvariantBroken(5, `"${record.step}" was skipped, and is dispatched`);
      return;
    case "signaled":
      if (past.some((other) => other.kind === "signaled" && other.id === record.id))
        throw new InvariantBroken(1, `signal ${record.id} was taken in twice`);
      return;
    case "received":
      return checkReceived(plan, past, record, deadlineOf(rows, record.step));
    case "failed":
      if (record.error.code === "signal-timeout" && row.at < (deadlineOf(rows, record.step) ?? 0))
        throw new InvariantBroken(8, `"${record.step}" stops waiting before its time`);
      return;
    default:
      return;
  }
}

/** Invariant 8: a sleep is never shorter than it says, whoever owns the run. */
function checkAwake(plan: RunPlan, rows: readonly JournalRow[], { step }: Of<"completed">, at: number): void {
  if (plan.steps.get(step)?.definition.kind !== "sleep") return;
  const due = deadlineOf(rows, step);
  if (due === null) throw new InvariantBroken(8, `"${step}" wakes though it never slept`);
  if (at < due) throw new InvariantBroken(8, `"${step}" wakes ${due - at} ms early`);
}

/** When the step, last suspended, is due by the journal; null: it is not, or without a time. */
function deadlineOf(rows: readonly JournalRow[], step: string): number | null {
  let due: number | null = null;
  for (const { at, records } of rows) {
    for (const record of records) {
      if (record.kind !== "suspended" || record.step !== step) continue;
      due = record.until ?? (record.afterMs === undefined ? null : at + record.afterMs);
    }
  }
  return due;
}

const DECIDED: ReadonlySet<JournalRecord["kind"]> = new Set(["skipped", "evaluated", "expanded"]);

function checkDecidedOnce(past: readonly JournalRecord[], step: string): void {
  if (past.some((other) => DECIDED.has(other.kind) && "step" in other && other.step === step))
    throw new InvariantBroken(1, `the expressions of "${step}" are evaluated twice`);
}

/** A signal is taken at most once, by a step that waits for its name, and was there before the step's time was up. */
function checkReceived(
  plan: RunPlan,
  past: readonly JournalRecord[],
  { step, signal }: Of<"received">,
  deadline: number | null,
): void {
  const came = past.find((other): other is Of<"signaled"> => other.kind === "signaled" && other.id === signal);
  if (came === undefined) throw new InvariantBroken(1, `"${step}" takes a signal ${signal} that never came`);
  if (past.some((other) => other.kind === "received" && other.signal === signal))
    throw new InvariantBroken(4, `"${step}" takes signal ${signal}, which another step took`);
  const definition = plan.steps.get(step)?.definition;
  if (definition?.kind !== "wait" || definition.signal !== came.name)
    throw new InvariantBroken(1, `"${step}" takes signal "${came.name}", for which it does not wait`);
  if (deadline !== null && came.arrivedAt > deadline)
    throw new InvariantBroken(8, `"${step}" takes a signal that came ${came.arrivedAt - deadline} ms after its time`);
}
