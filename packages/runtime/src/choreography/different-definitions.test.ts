import { afterEach, beforeEach, expect, it } from "vitest";
import { cloudEvent, eventMessage } from "../events/cloud-event.js";
import { saga } from "../saga/builder.js";
import type { Definition } from "../saga/registry.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";

/** Instances of one service that do not know the same sagas, as during a deployment, and events that nobody can do anything about. */

let bench: SagaBench;
const done: string[] = [];
beforeEach(async () => {
  done.length = 0;
  bench = await SagaBench.create("memory");
});
afterEach(() => bench.close());

const styled = (name: string, ...stages: string[]) =>
  stages
    .reduce((all, stage) => all.step(stage, { run: () => void done.push(`${name}.${stage}`) }), saga(name, STYLE))
    .build();
const STYLE = { style: "choreography" } as const;

const open = (definitions: Definition[]) => {
  const store = createMemoryRunStore({ clock: bench.clock, world: bench.world, workers: "many" });
  return bench.open(definitions, {}, { store });
};

it("an instance that does not know a saga yet passes none of its events by", async () => {
  await open([styled("old", "a")]);
  const newer = await open([styled("old", "a"), styled("new", "a", "b", "c")]);
  for (let n = 0; n < 10; n += 1) expect((await bench.toEnd(newer, "new")).status).toBe("completed");
  expect(done).toHaveLength(30);
});

it("events of a version that nobody knows are parked, and reacted to once it is known", async () => {
  const before = await open([styled("order", "a", "b")]);
  const { id } = await bench.until(before.start("order", {}));
  await bench.until(before.close(0));
  // Its stages are others now, so its version is another.
  const after = await open([styled("order", "a", "b", "c")]);
  const parked = async () => (await bench.until(after.events?.parked[0]?.parked.list() ?? expect.unreachable())).items;
  while ((await parked()).length === 0) await bench.pass(1_000);
  expect(await parked()).toMatchObject([{ event: { key: id }, error: { code: "event-unknown" }, attempts: 1 }]);
  expect((await bench.until(after.metrics())).events).toMatchObject({ parked: 1, handled: 0 });
  await bench.pass(60_000);
  expect((await bench.until(after.get(id))).status).toBe("running");
  const both = await open([styled("order", "a", "b"), styled("order", "a", "b", "c")]);
  expect((await bench.until(both.wait(id, 60_000))).status).toBe("completed");
  expect(await parked()).toEqual([]);
});

it("an event that is none is parked with why, and holds up nobody", async () => {
  const manager = await open([styled("order", "a")]);
  const { events } = createMemoryRunStore({ clock: bench.clock, world: bench.world, workers: "many" });
  if (events === undefined) return expect.unreachable();
  const data = { run: "r", saga: "order", version: "1", unit: "a", news: "completed" };
  const unlike = eventMessage(cloudEvent({ source: "/x", type: "order.a.completed", data, subject: "r" }));
  const store = createMemoryRunStore({ clock: bench.clock, world: bench.world, workers: "many" });
  await store.open();
  await store.events?.put([{ ...unlike, body: "no event" }]);
  expect((await bench.toEnd(manager, "order")).status).toBe("completed");
  await bench.pass(2_000);
  const page = await bench.until(manager.events?.parked[0]?.parked.list() ?? expect.unreachable());
  expect(page.items).toMatchObject([{ event: { id: unlike.id }, error: { code: "event-invalid" }, attempts: 1 }]);
  await store.close();
});
