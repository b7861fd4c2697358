import { expect } from "vitest";
import type { RunView } from "../operator/views.js";
import { saga } from "../saga/builder.js";
import type { SagaDefinition } from "../saga/definition.js";
import type { SagaManager } from "../saga/manager.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { SagaBench, type StoreKind } from "../testing/saga-bench.test.support.js";
import type { ScheduleOptions } from "./schedule-definition.js";
import type { ScheduleView } from "./schedule-view.js";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const BY = { actor: "ann", reason: "because" };

/** A bench whose time begins at that instant; `body` finds everything closed behind it. */
export async function atTime(
  instant: string,
  body: (bench: SagaBench) => Promise<void>,
  kind: StoreKind = "memory",
): Promise<void> {
  const bench = await SagaBench.create(kind);
  try {
    bench.clock.advance(Date.parse(instant) - bench.clock.now());
    await body(bench);
  } finally {
    await bench.close();
  }
}

/** Opens an instance beside others on the bench's data. */
export async function instance(
  bench: SagaBench,
  definitions: SagaDefinition[],
  wrap: (store: RunStore) => RunStore = (store) => store,
): Promise<SagaManager> {
  const { clock, world } = bench;
  const store = wrap(createMemoryRunStore({ clock, world, workers: "many" }));
  const manager = await bench.open(definitions, {}, { store, pollMs: 1_000 });
  await bench.pass(10);
  return manager;
}

/** A saga named `report` that keeps its inputs, and lasts as long as `lastsMs` says. */
export function report(schedule: ScheduleOptions | undefined, lastsMs = 0, inputs: unknown[] = []): SagaDefinition {
  const made = saga("report", schedule === undefined ? {} : { schedule, timeout: "720h" }).step("make", {
    run: ({ runInput }) => void inputs.push(runInput),
  });
  return (lastsMs === 0 ? made : made.sleep("last", { for: `${lastsMs}ms` })).build();
}

/** The ticks that have runs, as in their keys, oldest first. */
export function ticksRun({ world }: SagaBench): string[] {
  return [...world.runs.values()].map(({ key }) =>
    (key ?? "").replace("schedule:report:", "").replace(":00.000Z", "Z"),
  );
}

export async function scheduleOf(manager: SagaManager, name = "report"): Promise<ScheduleView> {
  const found = (await manager.schedules()).find((view) => view.name === name);
  return found ?? expect.fail(`expected schedule ${name}`);
}

export async function runsOf(manager: SagaManager): Promise<RunView[]> {
  const { items } = await manager.list({ definition: "report", limit: 200 });
  return Promise.all(items.map(({ id }) => manager.get(id))).then((runs) => runs.reverse());
}
