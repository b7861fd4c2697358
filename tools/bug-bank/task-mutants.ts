import type { Mutant } from "./mutant.js";

const src = (path: string): string => `packages/runtime/src/${path}`;

const TASKS = { tests: [src("saga/task.test.ts")] };
const CHANGING = { tests: [src("saga/task-changing.test.ts")] };
const HEARTBEATS = { tests: [src("saga/saga-manager.heartbeats.test.ts")] };

/** Of functions that are tasks, and of signs of life. */
export const taskMutants: readonly Mutant[] = [
  {
    name: "task: attempts are counted from the start, whatever was saved since",
    files: [src("engine/task-fold.ts")],
    find: "  forward.failures = 0;\n",
    replace: "",
    ...TASKS,
  },
  {
    name: "task: an error that the function caught is not remembered",
    files: [src("worker/task-execution.ts")],
    find: "if (caught === null || !this.#trail.isSequential) return;",
    replace: "if (caught === null || this.#trail.isSequential) return;",
    ...TASKS,
  },
  {
    name: "task: a function that is asked to make way goes on to its end",
    files: [src("worker/task-pause.ts")],
    find: "return this.#yields ? this.#hold(name, this.#options.storeNow(), null) : undefined;",
    replace: "return undefined;",
    ...TASKS,
  },
  {
    name: "task: one signal ends two waits",
    files: [src("engine/steps/function.ts")],
    find: "      taken.add(signal);\n",
    replace: "",
    tests: [src("engine/steps/function-transcripts.test.ts")],
  },
  {
    name: "task: a canceled function is waited for, however long it takes",
    files: [src("worker/task-execution.ts")],
    find: "this.#cancelTimer = this.#surroundings.clock.after(GRACE_MS, () =>",
    replace: "this.#cancelTimer = this.#surroundings.clock.after(GRACE_MS * 1e5, () =>",
    ...TASKS,
  },
  {
    name: "task: a function that does something else than before is not noticed",
    files: [src("worker/task-trail.ts")],
    find: "if (before !== undefined && before !== name)",
    replace: "if (before !== undefined && before === `${name}!`)",
    ...CHANGING,
  },
  {
    name: "task: a patch is taken by runs that are past it",
    files: [src("worker/task-trail.ts")],
    find: "isTaken: this.unvisited === undefined, isNew: true",
    replace: "isTaken: true, isNew: true",
    ...CHANGING,
  },
  {
    name: "task: a patch is decided anew in each execution",
    files: [src("engine/task-fold.ts")],
    find: "      task.patches.set(record.patch, record.isTaken);\n",
    replace: "",
    ...CHANGING,
  },
  {
    name: "heartbeats: a participant that is silent is waited for",
    files: [src("worker/heartbeat.ts")],
    find: "if (leftMs <= 0) onSilence();",
    replace: "if (leftMs <= 0) this.#cancelSilence();",
    ...HEARTBEATS,
  },
  {
    name: "heartbeats: what was told is lost with the attempt",
    files: [src("engine/fold.ts")],
    find: "if (record.details !== undefined) stepOf(state, record.step).heartbeat = record.details;",
    replace: "",
    ...HEARTBEATS,
  },
];
