import type { FaultEvent } from "../history.js";
import type { Seen, Violation } from "./seen.js";

/** A row of a run's journal, as far as it matters here. */
export interface SeenRow {
  readonly seq: number;
  readonly fence: number;
  /** The database's clock, ms; the database runs on this machine. */
  readonly at: number;
  readonly records: readonly object[];
}

export type Journals = ReadonlyMap<string, readonly SeenRow[]>;

/** What an instance owned when it was killed or stopped, asked of the store at once. */
export interface Orphaned {
  readonly instance: string;
  readonly fault: "kill" | "stop";
  readonly at: number;
  readonly runs: readonly { readonly run: string; readonly fence: number }[];
}

/** From the loss of an owner to the first sign of another one, ms, without the time in which the database was down. */
export interface Takeover {
  readonly run: string;
  readonly instance: string;
  readonly ms: number;
  /** The database was down meanwhile; counted from its return. */
  readonly outage: boolean;
}

/** How long after a process stopped its last append may still be committed, ms. */
const ON_THE_WAY_MS = 500;

/** Each verb that was acknowledged left its mark in the journal once, carried out or refused, or found the run ended. */
export function checkVerbs(seen: Seen, journals: Journals): Violation[] {
  return [...seen.runs.values()].flatMap(({ id, verbs }) => {
    return verbs.flatMap(({ verb, reason, stage }) => {
      const rows = journals.get(stage ?? id) ?? [];
      const ended = rows.some(({ records }) =>
        records.some((record) => "kind" in record && record.kind === "finished"),
      );
      // Operators send each request under a key of its own, which is its reason here.
      const request = `${verb}:${reason}`;
      const isMark = (record: object): boolean => "request" in record && record.request === request;
      const marks = rows.filter(({ records }) => records.some(isMark)).length;
      if (marks > 1) return [{ rule: "verbs", run: id, message: `"${verb}" (${reason}) was answered ${marks} times` }];
      return marks === 1 || ended ? [] : [{ rule: "verbs", run: id, message: `"${verb}" (${reason}) was forgotten` }];
    });
  });
}

/** `outages`: when the database was down; a lease counts from its return, because until then all look expired. */
export function takeovers(
  orphaned: readonly Orphaned[],
  journals: Journals,
  outages: readonly FaultEvent[],
): Takeover[] {
  return orphaned.flatMap(({ instance, fault, at, runs }) =>
    runs.flatMap(({ run, fence }) => {
      const rows = journals.get(run) ?? [];
      const taken = rows.find((row) => row.fence > fence);
      // Its last append was still on the way: the run ended or was parked by it.
      if (taken === undefined || taken.at < at) return [];
      // It went on before anybody took over.
      if (fault === "stop" && rows.some((row) => row.fence === fence && row.at > at + ON_THE_WAY_MS)) return [];
      const from = outages
        .filter((outage) => outage.at < taken.at && outage.until > at)
        .reduce((latest, outage) => Math.max(latest, outage.until), at);
      return [{ run, instance, ms: Math.max(0, taken.at - from), outage: from > at }];
    }),
  );
}

export function checkTakeovers(found: readonly Takeover[], boundMs: number): Violation[] {
  return found
    .filter(({ ms }) => ms > boundMs)
    .map(({ run, instance, ms }) => {
      const message = `taken over from ${instance} after ${Math.round(ms)} ms, expected at most ${boundMs} ms`;
      return { rule: "takeover", run, message };
    });
}
