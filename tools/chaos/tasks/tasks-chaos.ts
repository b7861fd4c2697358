import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { withCleanUp } from "../clean-up.js";
import { Clients } from "../clients.js";
import { faultSchedule } from "../faults/fault-schedule.js";
import { Mischief } from "../faults/mischief.js";
import { Owners } from "../faults/owners.js";
import { type Habits, Operators } from "../operators.js";
import { takeovers } from "../oracle/journal.js";
import { see } from "../oracle/seen.js";
import { PagedSource } from "../participants/paged-source.js";
import type { ChaosReport } from "../report.js";
import { Draws } from "../seeded.js";
import { buildWorld, CALL_TIMEOUT_MS, LEASE_MS, type World, type WorldOptions } from "../world.js";
import { Approvers } from "./approvers.js";
import { judgeTasks, type TaskVerdict } from "./oracle/task-oracle.js";
import { addFunctionTask } from "./own-definition.js";
import { Retriers } from "./retriers.js";
import { readTaskShapes, type TaskShapes } from "./task-shapes.js";
import { askSchedules, noteFailedItems } from "./told-in-the-end.js";

export interface TasksChaosOptions extends WorldOptions {
  readonly lengthMs: number;
  /** Workflows started in a second. */
  readonly perSecond: number;
  /** See fault-schedule.ts. */
  readonly pace: number;
}

export interface TasksChaosReport extends ChaosReport, Pick<TaskVerdict, "heirs" | "repeats"> {
  readonly shapes: TaskShapes;
  /** Runs that did failed items of others. */
  readonly retried: number;
}

const CONFIG = fileURLToPath(new URL("tasks-service.yaml", import.meta.url));
const TAKEOVER_SLACK_MS = 2_000;
/** What the heir of a chunk may take besides: it reads the page of the chunk first, from a source that is unwell at times. */
const HEIR_SLACK_MS = 4_000;
/** What everything may take to come to its end, once nothing goes wrong any more. */
const SETTLE_MS = 240_000;
const SAY_EVERY_MS = 30_000;
/** Batches that are open at once, and how many are begun in a second until then. */
const BATCHES = { maxOpen: 5, perSecond: 0.5 };
const ITEMS = { least: 100, most: 400 };

const OF_BATCHES: Habits = (_, status) => {
  if (status === "open") return ["pause", "pause", "pause", "cancel"];
  return status === "paused" ? ["resume"] : ["retry", "retry", "resume", "abandon"];
};

/**
 * Processes of a generated service with batches, workflows that sleep and wait, a narrow queue and schedules, mistreated as those of chaos.ts
 * are. What its participants and its clients saw is judged by what tasks promise besides. Leaves no process and no folder behind.
 */
export function runTasksChaos(options: TasksChaosOptions): Promise<TasksChaosReport> {
  return withCleanUp(options.say, async (cleanUp) => {
    const pages = new PagedSource({ seed: options.seed, ...ITEMS });
    const service = { config: CONFIG, source: { name: "catalog", pages }, amend: addFunctionTask };
    const world = await buildWorld(options, service, cleanUp);
    return live(options, world, pages, readTaskShapes(await readFile(CONFIG, "utf8")));
  });
}

async function live(
  options: TasksChaosOptions,
  world: World,
  pages: PagedSource,
  shapes: TaskShapes,
): Promise<TasksChaosReport> {
  const { seed, lengthMs, perSecond, pace, say } = options;
  const { config, history, postgres, participants, instances, store, died } = world;
  const common = { seed, instances, history };
  const workflows = [...config.sagas.keys()].filter((name) => !shapes.scheduled.includes(name));
  const functions = shapes.functions.map(({ name }) => name);
  const clients = new Clients({
    ...{ ...common, route: "tasks", perSecond, maxOpen: perSecond * 15, definitions: [...workflows, ...functions] },
  });
  const batches = new Clients({
    ...{ ...common, ...BATCHES, name: "batches", route: "tasks", definitions: [...shapes.batches.keys()] },
  });
  history.onEvent((event) => {
    if (event.kind === "scheduled") clients.adopt(event.run, event.definition);
  });
  const approvers = new Approvers({ ...common, shapes: shapes.sleepers });
  const retriers = new Retriers({ ...common, clients: batches });
  const operators = [
    new Operators({ ...common, clients, everyMs: 3_000 }),
    new Operators({ ...common, clients: batches, name: "the batches", verbs: OF_BATCHES, everyMs: 2_000 }),
  ];
  const owners = new Owners(store);
  const mischief = new Mischief({ ...common, postgres, owners });
  const startedAt = performance.now();
  for (const each of [clients, batches, ...operators]) each.start();
  mischief.start(faultSchedule({ seed, lengthMs, leaseMs: LEASE_MS, pace }));
  for (let left = lengthMs; left > 0; left = lengthMs - (performance.now() - startedAt)) {
    await sleep(Math.min(left, SAY_EVERY_MS));
    const faults = [...mischief.counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const open = `${clients.runs.length} workflows, ${clients.open.length} open; ${batches.runs.length} batches, ${batches.open.length} open`;
    say(`${seconds} s: ${open}; ${faults}`);
  }

  await mischief.heal();
  participants.calm();
  for (const each of [...operators, retriers, clients, batches, approvers]) await each.stop();
  await owners.settle();
  const until = performance.now() + SETTLE_MS;
  const isOpen = (): boolean => clients.open.length + batches.open.length + participants.underWay > 0;
  const isPaused = (): boolean => batches.unended.some(([, status]) => status === "paused");
  while ((isOpen() || isPaused()) && performance.now() < until) {
    for (const each of operators) await each.resumeAll();
    for (const each of [clients, batches]) for (const [run] of each.unended) await each.look(run);
    await sleep(500);
  }
  const witnesses = { instances, draws: new Draws(seed, "end") };
  for (const run of batches.runs) await noteFailedItems(witnesses, run, history);
  // Told once more, by anybody: an end that was told stays what it was.
  for (const each of [clients, batches]) for (const run of each.runs) await each.look(run);
  // Schedules go on: what has begun meanwhile is heard to its end, and what begins from here on is nobody's business.
  while (clients.open.length > 0 && performance.now() < until) for (const run of clients.open) await clients.look(run);
  const events = [...history.events];
  const schedules = await askSchedules(witnesses, shapes.scheduled);
  const journals = new Map<string, Awaited<ReturnType<typeof store.journal>>>();
  for (const run of new Set(events.flatMap((event) => ("run" in event ? [event.run] : []))))
    journals.set(run, await store.journal(run));
  const seen = see(events, config, CALL_TIMEOUT_MS);
  const outages = seen.faults.filter(({ fault }) => fault === "restart");
  const found = takeovers(owners.orphaned, journals, outages);
  const takeoverBoundMs = LEASE_MS + TAKEOVER_SLACK_MS;
  const { violations, heirs, repeats } = judgeTasks({
    ...{ seen, journals, takeovers: found, takeoverBoundMs, heirBoundMs: LEASE_MS + HEIR_SLACK_MS },
    ...{ shapes, schedules, itemsOf: (run) => pages.itemsOf(run) },
  });
  return {
    ...{ seed, lengthMs, events, violations: [...violations, ...died], journals, takeovers: found },
    ...{ leaseMs: LEASE_MS, takeoverSlackMs: TAKEOVER_SLACK_MS, shapes, heirs, repeats, retried: seen.retried.size },
    ...{ faults: mischief.counts, terminated: mischief.terminated, swallowed: mischief.swallowed },
    ...{ instances: instances.length, clocks: world.clocks, seen },
  };
}
