import { expect, it } from "vitest";
import { silentLogger } from "../log.js";
import { systemPorts } from "../ports.js";
import { saga } from "../saga/builder.js";
import type { CreateRun, Signal } from "../store/run-store.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import type { NewRuns } from "../worker/new-runs.js";
import { choreograph } from "./choreographed.js";
import { Reactions } from "./reactions.js";
import type { StageEvent } from "./stage-events.js";

const noop = { run: () => null };
const definition = saga("s", { style: "choreography" }).step("a", noop).step("b", noop).build();

/** What is done about an event, in order. `passing`: what the run says to what it is told in passing. */
function reactions(passing: () => Promise<boolean> | null) {
  const done: string[] = [];
  const store = createMemoryRunStore();
  const { events } = store;
  if (events === undefined) throw new Error("expected a store with events");
  const told = async (signals: readonly Signal[]) => {
    done.push(...signals.map(({ name }) => `message ${name}`));
    return signals.map(() => "accepted" as const);
  };
  const newRuns = {
    claim: () => null,
    create: async (run: CreateRun) => {
      done.push(`create ${run.definition}`);
      return { kind: "created", run, row: null };
    },
  };
  const made = new Reactions({
    store: Object.assign(Object.create(store), { signal: told }),
    ...{ events, ports: systemPorts, logger: silentLogger, poke: () => {} },
    find: () => [choreograph(definition)],
    newRuns: newRuns as unknown as NewRuns,
    tell: (_, { name }) => {
      done.push(`pass ${name}`);
      return passing();
    },
  });
  return { made, done };
}

const completed: StageEvent = {
  ...{ id: "e", saga: "s", version: definition.version, run: "r", unit: "a", news: "completed" },
  carried: { input: null, outputs: {}, context: {} },
  ...{ error: null, refused: false, isLate: false, output: null, changed: null },
};

it("tells the observer before it begins the next stage: in passing, or by a message when that one is not here", async () => {
  const here = reactions(async () => true);
  await here.made.handleOwn(completed);
  expect(here.done).toEqual(["pass a.completed", "create s.b"]);
  const elsewhere = reactions(() => null);
  await elsewhere.made.handleOwn(completed);
  expect(elsewhere.done).toEqual(["pass a.completed", "message a.completed", "create s.b"]);
});

it("tells the observer by a message after all when what it was told in passing was not written", async () => {
  const { made, done } = reactions(async () => false);
  await made.handleOwn(completed);
  expect(done).toEqual(["pass a.completed", "create s.b", "message a.completed"]);
});

it("tells of a failure by a message, which comes once however often it is told", async () => {
  const { made, done } = reactions(async () => true);
  await made.handleOwn({ ...completed, news: "stuck", carried: null });
  expect(done).toEqual(["message a.stuck"]);
});
