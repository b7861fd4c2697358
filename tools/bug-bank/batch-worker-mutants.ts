import type { Mutant } from "./mutant.js";

const src = (path: string): string => `packages/runtime/src/${path}`;

const RUNNING = { tests: [src("batch/batch.running.test.ts")] };
const OPERATING = { tests: [src("batch/batch.operating.test.ts")] };
const SHARING = { tests: [src("batch/batch.sharing.test.ts")] };
const SOURCES = { tests: [src("batch/batch.sources.test.ts")] };

/** Of what works the chunks of batches. */
export const batchWorkerMutants: readonly Mutant[] = [
  {
    name: "batch: its run ends while chunks are under way",
    files: [src("engine/steps/batch.ts")],
    find: ", endsBeforeRun: true",
    replace: "",
    ...OPERATING,
  },
  {
    name: "batch: one that is retried leaves what failed as it is",
    files: [src("worker/batch-steps.ts")],
    find: "if (retries && round > 1)",
    replace: "if (retries && round > 2)",
    ...OPERATING,
  },
  {
    name: "batch: its run is taken for told though the inbox was full",
    files: [src("batch/batch-driver.ts")],
    find: 'if (!results.includes("full")) await store.told(run, round);',
    replace: "await store.told(run, round);",
    ...SHARING,
  },
  {
    name: "batch: an heir gives its chunk up for an answer that was lost",
    files: [src("batch/chunk-work.ts")],
    find: "return untilAnswered(() => store.mark(this.chunk, key));",
    replace: "return store.mark(this.chunk, key);",
    ...SHARING,
  },
  {
    name: "batch: a lease that is late is a lease that is lost",
    files: [src("batch/attempt-bound.ts")],
    find: 'if (ownership === "unsure") return this.#onceSure();',
    replace: "",
    ...SHARING,
  },
  {
    name: "batch: an item that kills its process is begun for ever",
    files: [src("batch/chunk-work.ts")],
    find: "if (this.#isPoison(hand.key)) {",
    replace: "if (this.#isPoison(hand.key) && hand.attempts > 9) {",
    ...SHARING,
  },
  {
    name: "batch: a chunk whose owner died is worked beside others",
    files: [src("batch/batch-driver.ts")],
    find: "gate.enter(chunk.crashes > 0)",
    replace: "gate.enter(chunk.crashes > 9)",
    ...SHARING,
  },
  {
    name: "batch: chunks that a lost reply gave are waited for while it closes",
    files: [src("batch/batch-driver.ts")],
    find: 'if (status === "closing" && takeable > this.#inHand.size)',
    replace: 'if (status === "closing" && takeable > this.#inHand.size + 1_000)',
    ...SHARING,
  },
  {
    name: "batch: an instance keeps what others left, also when they want it",
    files: [src("batch/fair-share.ts")],
    find: "now - this.#yieldedAt >= YIELD_AFTER_MS",
    replace: "now < this.#yieldedAt",
    tests: [src("batch/fair-share.test.ts")],
  },
  {
    name: "batch: what was done of an item that fails stays done",
    files: [src("batch/staged-items.ts")],
    find: "return this.#undo(item, progress, error);",
    replace: "return Promise.resolve({ failed: error });",
    ...RUNNING,
  },
  {
    name: "batch: an item is tried again under the key of what was undone",
    files: [src("batch/staged-items.ts")],
    find: "retried !== null && compensation !== null ?",
    replace: 'retried === "never" ?',
    ...RUNNING,
  },
  {
    name: "batch: items of a chunk begin faster than their rate",
    files: [src("batch/chunk-work.ts")],
    find: "if (this.chunk.paceMs > 0) await this.#pace();",
    replace: "",
    ...RUNNING,
  },
  {
    name: "batch: a handler that hangs is waited for",
    files: [src("batch/attempt-bound.ts")],
    find: "if (this.#deadline < this.#timerAt) this.#arm();",
    replace: "",
    ...RUNNING,
  },
  {
    name: "batch: a source that fails midway is read to its end",
    files: [src("batch/batch-leader.ts")],
    find: "return { spans, items, next: from, last: null };",
    replace: "return { spans, items, next: null, last: from };",
    ...SOURCES,
  },
  {
    name: "batch: a key that a page has twice is worked twice",
    files: [src("batch/source-reader.ts")],
    find: "if (keys.has(key))",
    replace: 'if (keys.has("") && keys.has(key))',
    ...SOURCES,
  },
];
