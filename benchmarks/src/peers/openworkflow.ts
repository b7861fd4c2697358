import { join } from "node:path";
import { OpenWorkflow, type Worker } from "openworkflow";
import { BackendPostgres } from "openworkflow/postgres";
import { BackendSqlite } from "openworkflow/sqlite";
import postgres from "postgres";
import { Ends } from "../ends.js";
import { type SagaDriver, sagaDriver, serveSagas } from "../sagas/contender.js";
import type { Place } from "../sagas/protocol.js";
import { SHAPES, type Shape, shapeName } from "../sagas/scenarios.js";
import { INPUT, perform, refuse, undo } from "../sagas/work.js";

/**
 * OpenWorkflow 0.10, on PostgreSQL or (argument `sqlite`) on SQLite. Steps are `step.run` calls; compensation is a `catch`, since the
 * library has none yet. Its handle asks once a second whether a run has ended, which would bound what 100 runs in flight can reach; so
 * the end is taken from the backend's own call that completes the run, the moment it is durable.
 */
type Backend = BackendPostgres | BackendSqlite;

/** postgres.js opens 10 by default; with more, commits of many runs share flushes of the log. */
const CONNECTIONS = 20;
/**
 * Runs that the worker works on at once (default 1). Fewer than are in flight: a free slot costs a query at each turn, and when all
 * of them find nothing, or none is free, the worker sleeps for 100 ms and more.
 */
const CONCURRENCY = 50;

async function connect({ databaseUrl, folder }: Place): Promise<Backend> {
  if (process.argv[2] === "sqlite") return BackendSqlite.connect(join(folder, "runs.db"));
  const migrated = await BackendPostgres.connect(databaseUrl);
  await migrated.stop();
  // As newPostgres of the library, which takes no pool size from connect().
  const pool = postgres(databaseUrl, { max: CONNECTIONS, transform: { column: { from: postgres.toCamel } } });
  return BackendPostgres.fromPool(pool);
}

function reportEnds(backend: Backend, ends: Ends): void {
  const complete = backend.completeWorkflowRun.bind(backend);
  const fail = backend.failWorkflowRun.bind(backend);
  backend.completeWorkflowRun = async (request) => {
    const run = await complete(request);
    ends.ended(run.id, null);
    return run;
  };
  backend.failWorkflowRun = async (request) => {
    const run = await fail(request);
    ends.ended(run.id, new Error(`expected the run to complete, got ${JSON.stringify(request.error)}`));
    return run;
  };
}

class OpenWorkflowDriver implements SagaDriver {
  readonly #ends = new Ends();
  #backend: Backend | null = null;
  #worker: Worker | null = null;
  readonly #start = new Map<string, () => Promise<string>>();

  async open(place: Place): Promise<void> {
    const backend = await connect(place);
    reportEnds(backend, this.#ends);
    const client = new OpenWorkflow({ backend });
    for (const shape of SHAPES) this.#define(client, shape);
    this.#backend = backend;
    this.#worker = client.newWorker({ concurrency: CONCURRENCY });
    await this.#worker.start();
  }

  #define(client: OpenWorkflow, { steps, fails }: Shape): void {
    const last = fails ? steps - 1 : steps;
    const retryPolicy = { maximumAttempts: 1 };
    const workflow = client.defineWorkflow({ name: shapeName({ steps, fails }) }, async ({ step }) => {
      for (let n = 1; n <= last; n += 1) await step.run({ name: `step-${n}` }, () => perform(n));
      if (!fails) return;
      try {
        await step.run({ name: `step-${steps}`, retryPolicy }, () => Promise.reject(new Error(refuse())));
      } catch {
        for (let n = last; n >= 1; n -= 1) await step.run({ name: `undo-${n}` }, () => undo(n));
      }
    });
    this.#start.set(shapeName({ steps, fails }), async () => (await workflow.run(INPUT)).workflowRun.id);
  }

  async run(shape: Shape): Promise<void> {
    const start = this.#start.get(shapeName(shape));
    if (start === undefined) throw new Error(`expected a workflow of the shape ${shapeName(shape)}, got none`);
    await this.#ends.of(await start());
  }

  async close(): Promise<void> {
    await this.#worker?.stop();
    await this.#backend?.stop();
  }
}

serveSagas(sagaDriver(new OpenWorkflowDriver()));
