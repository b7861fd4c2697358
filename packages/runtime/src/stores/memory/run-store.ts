import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import { LocalEvents } from "../../store/local-events.js";
import type { RunStore } from "../../store/run-store.js";
import { append } from "./append.js";
import { createMemoryBatches } from "./batches.js";
import { claim } from "./claim.js";
import { createRun } from "./create.js";
import { createMemoryEvents } from "./event-store.js";
import { signal } from "./inbox.js";
import { countRuns, listRuns, prune, strandedRuns } from "./query.js";
import { begin } from "./transaction.js";
import { listWorkers, renew, retire } from "./workers.js";
import { checkpointOf, createMemoryWorld, journalRow, type MemoryWorld, runRow } from "./world.js";

export interface MemoryRunStoreOptions {
  /** The store's clock. Default: the system's. */
  readonly clock?: Clock;
  /** What the store holds. Default: a new, empty one. */
  readonly world?: MemoryWorld;
  /** How many workers may be active at once: `one`, as in an SQLite file, or `many`, as in a database server. Default `one`. */
  readonly workers?: "one" | "many";
}

/** Runs in this process's memory, for tests and simulations. Each call takes effect before it returns its promise. */
export function createMemoryRunStore(options: MemoryRunStoreOptions = {}): RunStore {
  const { clock = systemPorts.clock, world = createMemoryWorld(), workers = "one" } = options;
  const local = new LocalEvents();
  let open = false;
  /** Runs a call on an open store; what it throws becomes a rejection, never a throw at the caller. */
  const answer = async <T>(call: (now: number) => T): Promise<T> => {
    if (!open)
      throw new RuntimeError(
        "store-unavailable",
        "expected an open memory store, got a call before open or after close",
      );
    return call(clock.now());
  };
  return {
    open: async () => {
      if (!open) local.open(world.events.shared);
      open = true;
    },
    close: async () => {
      open = false;
      local.close();
    },
    ping: () => answer(() => undefined),
    now: () => answer((now) => now),
    create: (runs) => answer((now) => runs.map((run) => orRejected(() => createRun(world, run, now)))),
    claim: (request) => answer((now) => claim(world, request, now)),
    append: (appends) => answer((now) => appends.map((element) => orRejected(() => append(world, element, now)))),
    begin: () => answer(() => begin(world, (element) => orRejected(() => append(world, element, clock.now())))),
    renew: (request) => answer((now) => renew(world, request, now, workers === "one")),
    retire: (worker) => answer((now) => retire(world, worker, now)),
    signal: (signals) =>
      answer((now) =>
        signals.map((element) => {
          const result = orRejected(() => signal(world, element, now));
          return typeof result === "string" ? result : result.kind;
        }),
      ),
    get: (id) =>
      answer(() => {
        const run = world.runs.get(id);
        return run && runRow(run);
      }),
    journal: (id, afterSeq = 0, limit = 1_000) =>
      answer(() =>
        (world.runs.get(id)?.journal ?? []).slice(afterSeq, afterSeq + limit).map((row) => journalRow(id, row)),
      ),
    checkpoints: (id) =>
      answer(() => (world.runs.get(id)?.checkpoints ?? []).map((checkpoint) => checkpointOf(id, checkpoint))),
    list: (query) => answer(() => listRuns(world, query)),
    workers: () => answer(() => listWorkers(world)),
    count: () => answer(() => countRuns(world)),
    stranded: (known) => answer(() => strandedRuns(world, known)),
    prune: (endedBefore, limit) => answer(() => prune(world, endedBefore, limit)),
    events: createMemoryEvents(world, local, answer, () => clock.now()),
    batches: createMemoryBatches(world, answer, () => clock.now()),
  };
}

function orRejected<T>(call: () => T): T | { readonly kind: "rejected"; readonly reason: string } {
  try {
    return call();
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "input-invalid")
      return { kind: "rejected", reason: error.message };
    throw error;
  }
}
