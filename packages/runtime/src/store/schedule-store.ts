import type { RunStatus } from "../engine/records.js";

/**
 * Schedules beside the runs, in the same database: which definition begins runs by itself, when, and how far it has come. A tick is an
 * instant at which a schedule comes. Whoever finds one due says so (`tick`), and the store sees in one write that it is the next, whether its
 * run may begin, and begins it: of many instances one does, and the others are told that it has passed. Time is the store's own.
 *
 * Instances whose definitions or schedules differ, as during a deployment, register one after the other: the newest registration counts, and
 * the others rest until its instances have been silent for `SILENT_MS`. A call that cannot be answered throws `store-unavailable`; its effect
 * is then unknown, and sending it again is harmless. `NewRun`: what the run store creates runs from.
 */
export interface ScheduleStore<NewRun> {
  /**
   * `begin`: what differs takes the place of what is there. `keep`: only if it is silent; else what is the same is kept from being so. Either way
   * the schedules of the names given that the store knows, in the order of their names.
   */
  register(registrations: readonly ScheduleRegistration[], how: "begin" | "keep"): Promise<Schedules>;
  tick(tick: ScheduleTick<NewRun>): Promise<TickResult>;
  /** No more runs begin until `resume`. Of a paused one nothing changes. False: there is no such schedule. */
  pause(name: string, by: { readonly actor: string; readonly reason: string }): Promise<boolean>;
  /** What came meanwhile was missed. False: there is no such schedule. */
  resume(name: string): Promise<boolean>;
  /** All of them, also those that no instance has any more, in the order of their names. */
  list(): Promise<Schedules>;
}

/** After so long without a registration the instances of one are gone, ms. */
export const SILENT_MS = 120_000;
/** A tick that is late by less than this is on time, ms. A clock set back by less is waited for. */
export const ON_TIME_MS = 60_000;

export interface Schedules {
  /** Store's clock, ms since the epoch. */
  readonly now: number;
  readonly rows: readonly ScheduleRow[];
}

export interface ScheduleRegistration {
  /** The definition's. */
  readonly name: string;
  /** Null: it has no schedule, or none any more. */
  readonly schedule: Pick<ScheduleRow, "version" | "cron" | "timezone" | "overlap" | "catchUp" | "fingerprint"> | null;
}

export interface ScheduleRow {
  readonly name: string;
  /** Of the definition that its runs follow. */
  readonly version: string;
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: "skip" | "queue" | "cancel";
  /** Missed ticks that are made up for. */
  readonly catchUp: number;
  /** Of all that decides what a tick does: who has another one leaves the schedule alone. */
  readonly fingerprint: string;
  /** Grows with each registration that differs from the one before. */
  readonly revision: number;
  /** False: the definition has no schedule any more. */
  readonly active: boolean;
  readonly registeredAt: number;
  /** When an instance last said that it has this very registration. */
  readonly seenAt: number;
  /** Only ticks after this count: when cron expression or zone came to be what they are. */
  readonly since: number;
  /** The newest tick that is done with: its run has begun, or will not. Null: none since `since`. */
  readonly lastTick: number | null;
  /** The newest run that a tick has begun. `late`: it made up for a missed one. */
  readonly lastRun: { readonly id: string; readonly tick: number; readonly late: boolean } | null;
  /** The tick whose run begins when those before it have ended. */
  readonly waiting: number | null;
  /** Ticks without a run because one of an earlier tick went on. */
  readonly skipped: number;
  /** Ticks without a run because nothing was there to begin it in time, or because it could not begin. */
  readonly missed: number;
  readonly paused: { readonly at: number; readonly actor: string; readonly reason: string } | null;
  /** What last was not as usual. */
  readonly note: ScheduleNote | null;
}

export interface ScheduleNote {
  readonly at: number;
  /** `failed`: its run could not begin. `clock`: the store's clock was set back. */
  readonly kind: "skipped" | "missed" | "failed" | "clock";
  readonly message: string;
}

export interface ScheduleTick<NewRun> {
  readonly name: string;
  readonly revision: number;
  /** `lastTick` as it was when this was decided: when it has changed, somebody else was faster. */
  readonly after: number | null;
  /** ms since the epoch. */
  readonly at: number;
  /**
   * `on-time`: judged by the overlap policy. `late`: made up for, as soon as no run goes on. `waiting`: the row's `waiting`. `by-hand`: no tick
   * of the schedule; begins if no run goes on, also when it is paused.
   */
  readonly how: "on-time" | "late" | "waiting" | "by-hand";
  /** Ticks before it that get no run. */
  readonly missed: number;
  /** Null: this tick gets none either, and counts as missed, for the reason in `why`. */
  readonly run: NewRun | null;
  readonly why?: { readonly kind: "missed" | "failed"; readonly message: string };
}

export type TickResult =
  /** `created`: false when its key had a run already. */
  | {
      readonly kind: "started";
      readonly row: ScheduleRow;
      readonly run: { readonly id: string; readonly status: RunStatus };
      readonly created: boolean;
    }
  /** It gets no run: one of an earlier tick goes on, or there was none to begin. */
  | { readonly kind: "skipped" | "missed"; readonly row: ScheduleRow }
  /** It is the row's `waiting` from here on; the runs named have been asked to cancel. */
  | { readonly kind: "waits"; readonly row: ScheduleRow; readonly canceled: readonly string[] }
  /** Nothing changed: runs of the schedule go on, and this tick is to come again. */
  | { readonly kind: "held"; readonly row: ScheduleRow; readonly by: readonly string[] }
  /** Nothing changed: somebody else has done with it; the store's clock has not come to it; the schedule rests. */
  | { readonly kind: "passed" | "early" | "resting"; readonly row: ScheduleRow }
  /** Nothing changed: the run cannot be stored. */
  | { readonly kind: "rejected"; readonly row: ScheduleRow; readonly reason: string }
  | { readonly kind: "unknown" };
