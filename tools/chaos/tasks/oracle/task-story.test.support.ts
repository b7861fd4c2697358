import type { FailedItem, Progress } from "../../history.js";
import type { Violation } from "../../oracle/seen.js";
import { Story, type Told } from "../../oracle/story.test.support.js";
import type { TaskShapes } from "../task-shapes.js";
import { judgeTasks, type TaskVerdict } from "./task-oracle.js";
import type { ScheduleEnd } from "./ticks.js";

/** Chunks of two items, two at once; `reserve` can be undone. */
const SHAPES: TaskShapes = {
  batches: new Map([
    [
      "batch",
      {
        ...{ name: "batch", chunkSize: 2, concurrency: 2, maxFailures: 3 },
        stages: [
          { name: "reserve", compensable: true },
          { name: "pack", compensable: false },
        ],
      },
    ],
  ]),
  sleepers: new Map([
    ["sleeper", { name: "sleeper", before: "a", sleepMs: 500, signal: "approve", waitMs: 1_000, approved: "ship" }],
  ]),
  queues: new Map([["queued", 1]]),
  scheduled: ["ticking"],
  functions: [{ name: "function", places: [["a"], ["b1", "b2"], ["c"]], sleepsBefore: 1, sleepMs: 500 }],
};

/** Writes the history of one run of a task whose source holds `i1` to `i6`. */
export class TaskStory extends Story {
  readonly #items = ["i1", "i2", "i3", "i4", "i5", "i6"];
  schedules: ScheduleEnd[] = [];

  /** Both stages of an item, called, done and answered. */
  item(key: string, told: Told = {}): void {
    for (const stage of ["reserve", "pack"]) this.do(`items[${key}]/${stage}`, told);
  }

  allItems(...without: string[]): void {
    for (const key of this.#items) if (!without.includes(key)) this.item(key);
  }

  failed(...keys: string[]): void {
    this.listed(keys.map((key) => ({ key, code: "refused" })));
  }

  listed(items: readonly FailedItem[], run = "run"): void {
    this.add({ kind: "failed-items", at: this.tick(), run, items });
  }

  /** With the counters that fit, unless they are given. */
  complete(failed: readonly string[] = [], output: object = {}): void {
    this.failed(...failed);
    const items = this.#items.length;
    const counters = { items, done: items - failed.length, failed: failed.length, skipped: 0, ...output };
    this.tell("completed", "run", { output: counters });
  }

  /** For a reason that is one. */
  park(): void {
    this.listed(["i1", "i2", "i3", "i4"].map((key) => ({ key, code: "refused" })));
    this.tell("stuck");
  }

  progress(progress: Progress): void {
    this.tell("running", "run", { progress });
  }

  signal(sent: number, taken = true): void {
    this.add({ kind: "signaled", at: this.tick(), run: "run", signal: "approve", sent, taken });
  }

  start(run: string, definition: string): void {
    this.add({ kind: "started", at: this.tick(), instance: "1.1", key: run, definition, run });
  }

  scheduled(run: string, tick: string): void {
    this.add({ kind: "scheduled", at: this.tick(), run, definition: "ticking", tick });
    this.tell("completed", run);
  }

  get verdict(): TaskVerdict {
    const sources = { shapes: SHAPES, itemsOf: () => this.#items };
    return judgeTasks({ ...this.evidence, ...sources, schedules: this.schedules, heirBoundMs: 5_000 });
  }

  protected override judge(): readonly Violation[] {
    return this.verdict.violations;
  }
}

export function told(write: (s: TaskStory) => void, definition = "batch"): TaskStory {
  const story = new TaskStory("orchestration", definition);
  write(story);
  return story;
}

/** The rules that the history breaks. */
export function brokenBy(write: (s: TaskStory) => void, definition = "batch"): string[] {
  return told(write, definition).broken;
}
