import type { JournalRecord } from "../engine/records.js";
import { isObject, type Json } from "../json.js";
import type { RunRow } from "../store/run-store.js";
import { childRunId } from "../worker/child-run-id.js";
import type { Carried } from "./stage-events.js";

/** What a unit's run is created with, as its input. */
export interface UnitEntry {
  /** The run that it is a part of, by whose id participants know it. */
  readonly run: string;
  readonly carried: Carried;
  /** It is to be undone and has not begun: it never will. */
  readonly isDead: boolean;
  /** With it, or in a run that undoes: the time of the whole is up. */
  readonly isLate: boolean;
  /** Of the saga, where this service does not have its definition. */
  readonly version?: string;
}

/** The same for everybody, so that a unit begins once, or never. */
export function unitRunId(run: string, unit: string): string {
  return childRunId(run, `unit:${unit}`);
}

export function encodeEntry({ run, carried, isDead, isLate, version }: UnitEntry): Json {
  return { run, ...carried, ...(isDead && { isDead }), ...(isLate && { isLate }), ...(version && { version }) };
}

/** Of a unit's run; what is not of that shape was written by nobody here. */
export function entryOf({ input }: Pick<RunRow, "input">): UnitEntry {
  const { run, input: of = null, outputs, context, isDead, isLate, version } = isObject(input) ? input : {};
  const carried = { input: of, outputs: isObject(outputs) ? outputs : {}, context: isObject(context) ? context : {} };
  const entry = { run: String(run), carried, isDead: isDead === true, isLate: isLate === true };
  return typeof version === "string" ? { ...entry, version } : entry;
}

/** What a unit's journal begins with. */
export function entered(run: string, { outputs, context }: Carried): JournalRecord {
  return { kind: "entered", run, outputs, context };
}
