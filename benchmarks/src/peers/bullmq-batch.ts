import { Queue, Worker } from "bullmq";
import { nothing, serveBatches } from "../batch/contender.js";
import { DoneOnce } from "../batch/done-once.js";
import { AT_ONCE, CHUNK } from "../batch/scenarios.js";

/**
 * BullMQ 6.7 on a Redis that persists nothing, with one worker process as ours. Argument `single`: a job for each item; `chunked`: one for
 * each hundred, which are awaited one after the other in it. Jobs are added in bulk, a thousand at a time, while the worker already works;
 * those that ended are dropped at once. The next bulk is added when the one before is, so that neither side waits for the other.
 */
const BULK = 1_000;
const isChunked = process.argv[2] === "chunked";

interface Job {
  readonly first: number;
  readonly size: number;
}

serveBatches(async ({ redisPort }) => {
  const connection = { host: "127.0.0.1", port: redisPort, maxRetriesPerRequest: null };
  const defaultJobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 };
  const queue = new Queue<Job>("items", { connection, defaultJobOptions, streams: { events: { maxLen: 100 } } });
  let done = new DoneOnce(0);
  let onEnd: () => void = () => {};
  let onFailure: (error: Error) => void = () => {};
  let open = 0;
  const worker = new Worker<Job>(
    "items",
    async ({ data: { first, size } }) => {
      for (let n = first; n < first + size; n += 1) {
        await nothing();
        done.item(n);
      }
    },
    { connection, concurrency: AT_ONCE },
  );
  worker.on("completed", () => {
    open -= 1;
    if (open === 0) onEnd();
  });
  worker.on("failed", (_, error) => onFailure(error));
  await worker.waitUntilReady();
  return {
    measure: async (scenario) => {
      if (scenario.kind !== "items") throw new Error(`expected a scenario of items, got ${scenario.name}`);
      const items = scenario.items[isChunked ? "all" : "part"];
      const size = isChunked ? CHUNK : 1;
      done = new DoneOnce(items);
      open = items / size;
      const ended = new Promise<void>((resolve, reject) => {
        onEnd = resolve;
        onFailure = reject;
      });
      const begin = performance.now();
      for (let first = 0; first < items; first += BULK * size) {
        const jobs = Array.from({ length: Math.min(BULK, (items - first) / size) }, (_, at) => ({
          ...{ name: "item", data: { first: first + at * size, size } },
        }));
        await queue.addBulk(jobs);
      }
      await ended;
      const wallMs = performance.now() - begin;
      done.check();
      return { itemsPerS: (items / wallMs) * 1_000 };
    },
    close: async () => {
      await worker.close();
      await queue.close();
    },
  };
});
