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
      if (record.timedOut !== true) return checkDecidedOnce(story, record.step);
      if (row.at < (deadlineOf(rows, record.step) ?? Number.POSITIVE_INFINITY))
        throw new InvariantBroken(8, `"${record.step}" is passed over before its time`);
      return;
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
    case "saved":
    case "waits":
      return checkOnce(story, record);
    case "waited":
      return checkWaited(story, past, rows, record);
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

/** What a function has saved stands: it is neither done nor waited for again. */
function checkOnce(story: readonly JournalRecord[], { step, name }: Of<"saved" | "waits">): void {
  if (waitOf(story, step, name) !== undefined || story.some((other) => isSaved(other, step, name)))
    throw new InvariantBroken(4, `"${name}" of "${step}" is done again though it was saved`);
}

/** A signal goes to one wait, which is open and waits for that name; without one its time is up. */
function checkWaited(
  story: readonly JournalRecord[],
  past: readonly JournalRecord[],
  rows: readonly JournalRow[],
  { step, name, signal }: Of<"waited">,
): void {
  const wait = waitOf(story, step, name);
  if (wait?.signal === undefined) throw new InvariantBroken(1, `"${name}" of "${step}" ends, and did not wait`);
  if (story.some((other) => other.kind === "waited" && other.step === step && other.name === name))
    throw new InvariantBroken(4, `"${name}" of "${step}" stops waiting twice`);
  const begun = rows.findLast((row) => row.records.includes(wait))?.at ?? 0;
  const deadline = wait.afterMs === undefined ? Number.POSITIVE_INFINITY : begun + wait.afterMs;
  const now = rows.at(-1)?.at ?? 0;
  if (signal === undefined) {
    if (now < deadline) throw new InvariantBroken(8, `"${name}" of "${step}" is given up ${deadline - now} ms early`);
    return;
  }
  const came = past.find((other): other is Of<"signaled"> => other.kind === "signaled" && other.id === signal);
  if (came?.name !== wait.signal)
    throw new InvariantBroken(1, `"${name}" of "${step}" takes what it does not wait for`);
  if (past.some((other) => (other.kind === "received" || other.kind === "waited") && other.signal === signal))
    throw new InvariantBroken(4, `"${name}" of "${step}" takes signal ${signal}, which another one took`);
  if (came.arrivedAt > deadline) throw new InvariantBroken(8, `"${name}" of "${step}" takes a signal that came late`);
}

function waitOf(story: readonly JournalRecord[], step: string, name: string): Of<"waits"> | undefined {
  return story.find(
    (other): other is Of<"waits"> => other.kind === "waits" && other.step === step && other.name === name,
  );
}

function isSaved(record: JournalRecord, step: string, name: string): boolean {
  return record.kind === "saved" && record.step === step && record.name === name;
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
  if (past.some((other) => (other.kind === "received" || other.kind === "waited") && other.signal === signal))
    throw new InvariantBroken(4, `"${step}" takes signal ${signal}, which another step took`);
  const definition = plan.steps.get(step)?.definition;
  if (definition?.kind !== "wait" || definition.signal !== came.name)
    throw new InvariantBroken(1, `"${step}" takes signal "${came.name}", for which it does not wait`);
  if (deadline !== null && came.arrivedAt > deadline)
    throw new InvariantBroken(8, `"${step}" takes a signal that came ${came.arrivedAt - deadline} ms after its time`);
}
