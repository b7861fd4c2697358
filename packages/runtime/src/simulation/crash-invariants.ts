import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import { InvariantBroken } from "./invariant-broken.js";

/** Invariant 13, told from the rules: a suspect is advanced in isolation only, and parked when it is proven and not before. */
export function checkCrashes(plan: RunPlan, past: readonly JournalRecord[], record: JournalRecord): void {
  const { suspect, isolated, counted, lastAlone } = crashesOf(past);
  if (record.kind === "dispatched" && suspect && isolated === null)
    throw new InvariantBroken(13, `"${record.step}" of a suspect is dispatched outside of isolation`);
  if (record.kind === "isolated" && !record.alone && counted >= plan.maxCrashes - 1)
    throw new InvariantBroken(13, `after ${counted} crashes the run is not driven alone`);
  if (record.kind !== "stuck" || record.error.code !== "poison") return;
  if (counted < plan.maxCrashes || !lastAlone)
    throw new InvariantBroken(13, `a run is parked as poison after ${counted} crashes, alone: ${lastAlone}`);
}

interface Crashes {
  readonly suspect: boolean;
  readonly isolated: "among-others" | "alone" | null;
  readonly counted: number;
  /** The last one counted happened when the run was alone. */
  readonly lastAlone: boolean;
}

export function crashesOf(records: readonly JournalRecord[]): Crashes {
  const underWay = new Set<string>();
  let [survived, counted, lastAlone] = [0, 0, false];
  let isolated: Crashes["isolated"] = null;
  for (const record of records) {
    if (record.kind === "isolated") isolated = record.alone ? "alone" : "among-others";
    if (record.kind === "dispatched") underWay.add(`${record.direction} ${record.step}`);
    if (record.kind === "claimed") {
      if (record.crashed === true && underWay.size > 0) {
        survived += 1;
        if (isolated !== null) counted += 1;
        lastAlone = isolated === "alone";
      }
      isolated = null;
      underWay.clear();
    }
    const led = ["resumed", "retry-requested", "cancel-requested", "compensate-requested"].includes(record.kind);
    if (led || record.kind === "compensation-skipped" || record.kind === "step-skipped") counted = 0;
    // A function gets on, and nothing else is under way.
    const getsOn = isOnItsWay(record) && underWay.size === 1 && underWay.has(`forward ${record.step}`);
    if (getsOn) [survived, isolated, counted] = [0, null, 0];
    const ended = endedBy(record);
    // A sleep that begins or ends says nothing of what was under way.
    const wasUnderWay = ended !== null && underWay.delete(ended);
    if (wasUnderWay && underWay.size === 0) [survived, isolated, counted] = [0, null, 0];
  }
  return { suspect: survived > 1, isolated, counted, lastAlone };
}

function isOnItsWay(record: JournalRecord): record is JournalRecord & { readonly kind: "saved" | "waits" } {
  return record.kind === "saved" || record.kind === "waits";
}

/** The act of which this record says that an attempt at it is over. */
function endedBy(record: JournalRecord): string | null {
  switch (record.kind) {
    case "completed":
      return `forward ${record.step}`;
    case "compensated":
      return `compensate ${record.step}`;
    case "failed":
      return `${record.direction} ${record.step}`;
    case "suspended":
      return `${record.direction ?? "forward"} ${record.step}`;
    default:
      return null;
  }
}
