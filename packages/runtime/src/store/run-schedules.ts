import type { CreateRun } from "./run-store.js";
import type { ScheduleStore, ScheduleTick } from "./schedule-store.js";

/** The run of a tick, for whoever claims it. */
export type UnclaimedRun = CreateRun & { readonly claim: null };

/** The schedules of a run store, and a tick of theirs. */
export type RunSchedules = ScheduleStore<UnclaimedRun>;
export type RunTick = ScheduleTick<UnclaimedRun>;
