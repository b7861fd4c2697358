import { expect } from "vitest";
import type { RunStatus } from "../../engine/records.js";
import type { RunSchedules, RunTick } from "../../store/run-schedules.js";
import type { RunStore } from "../../store/run-store.js";
import { tickKey } from "../../store/schedule-judge.js";
import type { ScheduleRegistration, ScheduleRow, TickResult } from "../../store/schedule-store.js";
import {
  activate,
  appendOne,
  type ContractBench,
  claimAll,
  newRun,
  nextAppend,
  type RunStoreTraits,
  testWith,
} from "../run-store-contract/harness.js";

export interface ScheduleBench extends ContractBench {
  readonly schedules: RunSchedules;
  /** Of a further store on the same data, or the same one where there can be no other. */
  another(): Promise<RunSchedules>;
}

export type ScheduleTest = (title: string, body: (under: ScheduleBench) => Promise<void>) => void;

export function scheduleTestWith(traits: RunStoreTraits): ScheduleTest {
  const test = testWith(traits);
  return (title, body) =>
    test(title, async (under) => {
      const another = async (): Promise<RunSchedules> => schedulesOf((await under.reopen?.()) ?? under.store);
      await body({ ...under, schedules: schedulesOf(under.store), another });
    });
}

export function schedulesOf(store: RunStore): RunSchedules {
  return store.schedules ?? expect.fail("expected a store with schedules");
}

export const NAME = "order";
export const MINUTE_MS = 60_000;

export type Plan = NonNullable<ScheduleRegistration["schedule"]>;

export function plan(overrides: Partial<Plan> = {}): Plan {
  const { cron = "* * * * *", overlap = "skip" } = overrides;
  return {
    ...{ version: "v1", cron, timezone: "UTC", overlap, catchUp: 0, fingerprint: `${cron} ${overlap}` },
    ...overrides,
  };
}

export async function register(
  schedules: RunSchedules,
  overrides: Partial<Plan> = {},
  how: "begin" | "keep" = "begin",
): Promise<ScheduleRow> {
  const { rows } = await schedules.register([{ name: NAME, schedule: plan(overrides) }], how);
  return rows[0] ?? expect.fail("expected the row of what was registered");
}

export async function rowOf(schedules: RunSchedules, name = NAME): Promise<ScheduleRow> {
  const { rows } = await schedules.list();
  return rows.find((row) => row.name === name) ?? expect.fail(`expected schedule ${name}`);
}

/** The tick `n` minutes after the row's `since`, with run `n`, which nothing was missed before. */
export function tickAt(row: ScheduleRow, n: number, overrides: Partial<RunTick> = {}): RunTick {
  const at = row.since + n * MINUTE_MS;
  return {
    ...{ name: row.name, revision: row.revision, after: row.lastTick, at, how: "on-time", missed: 0 },
    run: { ...newRun(n, { key: tickKey(row.name, at) }), claim: null },
    ...overrides,
  };
}

/** A schedule, and `minutes` after. */
export async function registeredFor(
  { schedules, advance }: ScheduleBench,
  minutes: number,
  overrides: Partial<Plan> = {},
): Promise<ScheduleRow> {
  const row = await register(schedules, overrides);
  await advance(minutes * MINUTE_MS);
  return row;
}

/** The row after a tick that began its run. */
export async function begun(schedules: RunSchedules, tick: RunTick): Promise<ScheduleRow> {
  const result = await schedules.tick(tick);
  return result.kind === "started"
    ? result.row
    : expect.fail(`expected the run of the tick to begin, got ${result.kind}`);
}

export function rowIn(result: TickResult): ScheduleRow {
  return "row" in result ? result.row : expect.fail("expected a known schedule");
}

/** A worker takes the run and leaves it with this status. */
export async function lead(store: RunStore, id: string, status: RunStatus): Promise<void> {
  await activate(store, "worker");
  const claimed = (await claimAll(store, "worker")).find(({ run }) => run.id === id);
  const run = claimed?.run ?? (await store.get(id)) ?? expect.fail(`expected run ${id}`);
  const isEnd = ["completed", "failed", "compensated", "cancelled"].includes(status);
  const next = isEnd ? ({ kind: "finish" } as const) : ({ kind: "park", delayMs: null } as const);
  const result = await appendOne(store, nextAppend(run, { change: { status }, next }));
  expect(result.kind).toBe("appended");
}
