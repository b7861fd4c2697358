import { type Job, Queue, Worker } from "bullmq";
import { Ends } from "../ends.js";
import { sagaDriver, serveSagas } from "../sagas/contender.js";
import { SHAPES, type Shape, shapeName } from "../sagas/scenarios.js";
import { INPUT, perform, refuse, undo } from "../sagas/work.js";

/**
 * BullMQ 6.7 on a Redis that persists nothing. A saga is one job whose function keeps its place in the job's data, as its documentation
 * has it ("process step jobs"): one write per step, and no message passes between steps, so it is the fastest form that BullMQ has (a
 * flow of a job per step took several times as long). Compensation is written by hand in the same way. Waiting is by the worker's
 * own events, which come once Redis has the end.
 */
interface Progress {
  readonly input: typeof INPUT;
  readonly done: number;
  readonly undone: number;
  readonly output: unknown;
}

/** At least the runs in flight, so that no run waits for a slot. */
const CONCURRENCY = 500;

/** Goes on where the job's data say that it stopped: a job that stalled is given to a worker again. */
async function work(job: Job<Progress>, { steps, fails }: Shape): Promise<void> {
  const { input, done, undone } = job.data;
  const last = fails ? steps - 1 : steps;
  for (let step = done + 1; step <= last; step += 1)
    await job.updateData({ input, done: step, undone: 0, output: perform(step) });
  if (!fails) return;
  if (done < steps) await job.updateData({ input, done: steps, undone: 0, output: refuse() });
  for (let step = last - undone; step >= 1; step -= 1)
    await job.updateData({ input, done: steps, undone: steps - step, output: undo(step) });
}

const shapes = new Map(SHAPES.map((shape) => [shapeName(shape), shape]));
const ends = new Ends();
let queue: Queue<Progress> | null = null;
let worker: Worker<Progress> | null = null;

serveSagas(
  sagaDriver({
    open: async ({ redisPort }) => {
      const connection = {
        host: "127.0.0.1",
        port: redisPort,
        maxRetriesPerRequest: null,
      };
      // Ended jobs are dropped at once; the stream of events, which nobody reads here, is kept short.
      const defaultJobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 };
      queue = new Queue<Progress>("sagas", { connection, defaultJobOptions, streams: { events: { maxLen: 100 } } });
      worker = new Worker<Progress>(
        "sagas",
        async (job) => {
          const shape = shapes.get(job.name);
          if (shape === undefined) throw new Error(`expected a known shape, got ${job.name}`);
          await work(job, shape);
        },
        { connection, concurrency: CONCURRENCY },
      );
      worker.on("completed", (job) => ends.ended(job.id ?? "", null));
      worker.on("failed", (job, error) => ends.ended(job?.id ?? "", error));
      await worker.waitUntilReady();
    },
    run: async (shape) => {
      const job = await queue?.add(shapeName(shape), { input: INPUT, done: 0, undone: 0, output: null });
      await ends.of(job?.id ?? "");
    },
    close: async () => {
      await worker?.close();
      await queue?.close();
    },
  }),
);
