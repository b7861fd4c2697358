import type { Failure } from "./records.js";

/**
 * Runs that kill the process. When a lease runs out, one of the runs that had something under way may have killed its owner. Once
 * says nothing: whatever it was, all of them go on at full speed. A run to which that happens again, before an attempt of it
 * has come to its end, is a suspect. It is advanced in isolation, one per worker at a time, and says so in its journal. Only
 * a crash while it was isolated counts against it; the one that would park it counts only when nothing else at all was under
 * way, so that no run is parked for what another one did. An attempt that ends, with nothing left under way, clears it.
 */
export interface CrashState {
  /** Crashes since the last attempt that came to its end, while one was under way. */
  survived: number;
  /** By its present owner; null: not. */
  isolated: "among-others" | "alone" | null;
  /** Crashes that count. */
  counted: number;
}

const SUSPICIOUS = 2;

export function newCrashState(): CrashState {
  return { survived: 0, isolated: null, counted: 0 };
}

/** A worker took the run over. `underWay`: something was, when the owner before went. */
export function noteTakeover(crashes: CrashState, crashed: boolean, underWay: boolean): void {
  if (crashed && underWay) {
    if (crashes.isolated !== null) crashes.counted += 1;
    crashes.survived += 1;
  }
  crashes.isolated = null;
}

/** An attempt came to its end: the process survived it. */
export function noteOutcome(crashes: CrashState, underWay: boolean): void {
  if (!underWay) Object.assign(crashes, newCrashState());
}

export function isSuspect({ survived }: CrashState): boolean {
  return survived >= SUSPICIOUS;
}

/** What it dispatches next is dispatched in isolation, and says so before. */
export function needsIsolation(crashes: CrashState): boolean {
  return isSuspect(crashes) && crashes.isolated === null;
}

/** The next crash would be the last: it has to be beyond doubt. */
export function mustBeAlone({ counted }: CrashState, maxCrashes: number): boolean {
  return counted >= maxCrashes - 1;
}

/** Null: not proven. */
export function poisonOf({ counted }: CrashState, maxCrashes: number): Failure | null {
  if (counted < maxCrashes) return null;
  const message = `the process that advanced this run, isolated, died ${counted} times; mend what it does, then resume, retry, skip or abandon it`;
  return { code: "poison", message };
}
