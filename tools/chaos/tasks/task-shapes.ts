import { parse } from "yaml";
import { type FunctionShape, STOCK_TAKING } from "./function-shape.js";

/** What the config says each batch is, read from the YAML alone, as saga-shapes.ts does for workflows. */
export interface BatchShape {
  readonly name: string;
  readonly chunkSize: number;
  /** Chunks under way at once, over all instances. */
  readonly concurrency: number;
  readonly maxFailures: number;
  /** In order. */
  readonly stages: readonly { readonly name: string; readonly compensable: boolean }[];
}

/** Of a workflow that sleeps, then waits for a signal, then acts if that came. */
export interface SleeperShape {
  readonly name: string;
  /** The last stage before it sleeps. */
  readonly before: string;
  readonly sleepMs: number;
  readonly signal: string;
  /** How long it waits for that. */
  readonly waitMs: number;
  /** The stage that only what was approved comes to. */
  readonly approved: string;
}

export interface TaskShapes {
  readonly batches: ReadonlyMap<string, BatchShape>;
  readonly sleepers: ReadonlyMap<string, SleeperShape>;
  /** Runs of a workflow that may be under way at once, over all instances, by its name. */
  readonly queues: ReadonlyMap<string, number>;
  readonly scheduled: readonly string[];
  readonly functions: readonly FunctionShape[];
}

interface WrittenStage {
  readonly name: string;
  readonly sleep?: string;
  readonly wait_for?: string;
  readonly timeout?: string;
  readonly when?: string;
}

interface WrittenTask {
  readonly name: string;
  readonly type: "workflow" | "batch";
  readonly chunk_size?: number;
  readonly concurrency?: number;
  readonly max_failures?: number;
  readonly schedule?: string;
  readonly stages: readonly WrittenStage[];
  readonly compensation?: readonly { readonly stage: string }[];
}

/** Of the config, and of the function that stands beside it. The config must be one that the generator takes: nothing is checked here. */
export function readTaskShapes(yaml: string): TaskShapes {
  const { tasks } = (parse(yaml) as { long_running: { tasks: readonly WrittenTask[] } }).long_running;
  const workflows = tasks.filter(({ type }) => type === "workflow");
  return {
    batches: new Map(tasks.filter(({ type }) => type === "batch").map((task) => [task.name, batchOf(task)])),
    sleepers: new Map(workflows.flatMap((task) => sleeperOf(task).map((shape) => [shape.name, shape]))),
    queues: new Map(
      workflows.flatMap(({ name, concurrency }) => (concurrency === undefined ? [] : [[name, concurrency]])),
    ),
    functions: [STOCK_TAKING],
    scheduled: workflows.filter(({ schedule }) => schedule !== undefined).map(({ name }) => name),
  };
}

function batchOf({ name, chunk_size = 100, concurrency = 1, max_failures = 0, ...task }: WrittenTask): BatchShape {
  const compensable = new Set((task.compensation ?? []).map(({ stage }) => stage));
  const stages = task.stages.map((stage) => ({ name: stage.name, compensable: compensable.has(stage.name) }));
  return { name, chunkSize: chunk_size, concurrency, maxFailures: max_failures, stages };
}

function sleeperOf({ name, stages }: WrittenTask): SleeperShape[] {
  const sleep = stages.findIndex((stage) => stage.sleep !== undefined);
  const [before, wait] = [stages[sleep - 1], stages.find((stage) => stage.wait_for !== undefined)];
  const approved = stages.find((stage) => stage.when !== undefined);
  if (before === undefined || wait?.wait_for === undefined || approved === undefined) return [];
  const [sleepMs, waitMs] = [msOf(stages[sleep]?.sleep), msOf(wait.timeout)];
  return [{ name, before: before.name, sleepMs, signal: wait.wait_for, waitMs, approved: approved.name }];
}

/** Of whole seconds, `3s`. */
function msOf(written = ""): number {
  return Number.parseFloat(written) * 1_000;
}
