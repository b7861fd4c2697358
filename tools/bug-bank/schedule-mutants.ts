import type { Mutant } from "./mutant.js";

const src = (path: string): string => `packages/runtime/src/${path}`;

const CONTRACT = { files: [src("store/schedule-judge.ts")], tests: [src("stores/memory/schedule-store.test.ts")] };

/** Of schedules. */
export const scheduleMutants: readonly Mutant[] = [
  {
    ...CONTRACT,
    name: "schedules: a tick is judged by whoever comes, however old what it knows is",
    find: "row.lastTick === tick.after && at > from(row)",
    replace: "true",
  },
  {
    ...CONTRACT,
    name: "schedules: a stuck run holds up the next tick",
    find: ' && status !== "stuck"',
    replace: "",
  },
  {
    ...CONTRACT,
    name: "schedules: a tick that comes later overtakes one that waits",
    find: "  if (holders.length === 0 && row.waiting !== null) return held;\n",
    replace: "",
  },
  {
    ...CONTRACT,
    name: "schedules: a missed tick is skipped for the run of the one before it",
    find: 'if (how === "late" || ',
    replace: "if (",
  },
  {
    ...CONTRACT,
    name: "schedules: a new cron expression has missed what it would have run before",
    find: "...(!sameTimes && {",
    replace: "...(now < 0 && {",
  },
  {
    ...CONTRACT,
    name: "schedules: an instance that looks takes the schedule from a newer one",
    find: 'if (how === "keep" && !isSilent) return row;',
    replace: "",
  },
  {
    ...CONTRACT,
    name: "schedules: a clock that was set back stops the schedule",
    find: "if (last <= now + ON_TIME_MS) return row;",
    replace: "if (last < Number.POSITIVE_INFINITY) return row;",
  },
  {
    name: "schedules: a list of fixed times comes twice when the clock goes back",
    files: [src("schedule/cron.ts")],
    find: 'fixedTimeRule: "no-wildcard"',
    replace: 'fixedTimeRule: "single-value"',
    tests: [src("schedule/cron.test.ts")],
  },
  {
    name: "schedules: ticks that nobody was there for are made up for, unasked",
    files: [src("schedule/due-tick.ts")],
    find: "if (!isOnTime && row.catchUp === 0)",
    replace: "if (!isOnTime && row.catchUp < 0)",
    tests: [src("schedule/due-tick.test.ts")],
  },
  {
    name: "schedules: on PostgreSQL two instances judge a tick at once",
    files: [src("stores/postgres/schedule-rows.ts")],
    find: "where name = $1 for update",
    replace: "where name = $1",
    tests: [src("stores/postgres/schedule-store.test.ts")],
  },
];
