import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import type { Append, AppendResult, CreateResult, CreateRun, RunStore, StoreHint } from "../../store/run-store.js";
import { append } from "./append.js";
import { createPostgresBatches } from "./batches.js";
import { isUuid } from "./binary-arrays.js";
import { claim } from "./claim.js";
import { Connections, DEFAULT_TRANSACTIONS, type PostgresOptions } from "./connections.js";
import { create } from "./create.js";
import { createPostgresEvents } from "./event-store.js";
import { signal } from "./inbox.js";
import { Listener } from "./listener.js";
import { migrate } from "./migrate.js";
import { PutHints } from "./put-hints.js";
import { countRuns, listRuns, prune, stranded } from "./query.js";
import { selectCheckpoints, selectJournal, selectRuns } from "./run-rows.js";
import { Silence } from "./silence.js";
import { begin } from "./transaction.js";
import { listWorkers, renew, retire } from "./workers.js";

export interface PostgresRunStoreOptions extends PostgresOptions {
  /** Timers of this process: reconnecting, and how long the server was silent. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Runs in PostgreSQL (13 or newer), shared by many instances. Durable when answered, as far as the server's `fsync` and
 * `synchronous_commit` are on. Leases follow the server's clock; none is taken over until the server has been up, and has
 * answered this instance, for the length of a lease. When a standby takes over, every worker starts anew from its journals.
 */
export function createPostgresRunStore(options: PostgresRunStoreOptions): RunStore {
  const { clock = systemPorts.clock } = options;
  let connections: Connections | undefined;
  let listener: Listener | undefined;
  let hints: PutHints | undefined;
  let onHint: ((hint: StoreHint) => void) | undefined;
  const onPut: ((shards: readonly number[]) => void)[] = [];
  const silence = new Silence(clock);

  const answer = async <T>(call: (open: Connections) => Promise<T>): Promise<T> => {
    if (connections === undefined)
      throw new RuntimeError(
        "store-unavailable",
        "expected an open PostgreSQL store, got a call before open or after close",
      );
    return call(connections);
  };
  /** Not on a server that took over before the worker has started anew: what it knows may not be there. */
  const write = <T>(call: (open: Connections) => Promise<T>): Promise<T> =>
    answer((open) => {
      if (open.movedTo === null) return call(open);
      const message = `expected the PostgreSQL server known so far, got one on timeline ${open.movedTo}: a standby took over`;
      throw new RuntimeError("store-unavailable", message);
    });
  const of = <T>(id: string, none: T, call: (open: Connections) => Promise<T>): Promise<T> =>
    answer((open) => (isUuid(id) ? call(open) : Promise.resolve(none)));

  /** Once somebody listens, for as long as the store is open. */
  const hear = async (): Promise<void> => {
    if (connections === undefined || listener !== undefined || (onHint === undefined && onPut.length === 0)) return;
    listener = new Listener(connections, clock, {
      onHint: (hint) => onHint?.(hint),
      onPut: (shards) => {
        for (const tell of onPut) tell(shards);
      },
    });
    await listener.start();
  };
  const told = (elements: readonly (Append | CreateRun)[], results: readonly (AppendResult | CreateResult)[]): void => {
    const put: EventMessage[] = [];
    for (const [index, { events: brought }] of elements.entries())
      if (brought !== undefined && TAKEN.has(results[index]?.kind)) put.push(...brought);
    hints?.tell(put);
  };
  const events = createPostgresEvents({
    ...{ transactions: options.transactions ?? DEFAULT_TRANSACTIONS, answer },
    onPut: (put) => hints?.tell(put),
    onPutWithin: (put) => hints?.tellSoon(put),
    listen(tell) {
      onPut.push(tell);
      void hear();
    },
  });

  return {
    lanes: LANES,
    events,
    batches: createPostgresBatches({ answer, write, onPut: (put) => hints?.tell(put) }),
    async open() {
      if (connections !== undefined) return;
      const opened = new Connections(options);
      try {
        await migrate(opened);
        connections = opened;
      } finally {
        if (connections !== opened) await opened.close();
      }
      hints = new PutHints(opened, clock);
      await hear();
    },
    async close() {
      const closing = connections;
      connections = undefined;
      hints?.stop();
      hints = undefined;
      await listener?.stop();
      listener = undefined;
      await closing?.close();
    },
    listen(tell) {
      onHint = tell;
    },
    ping: () => answer(async (open) => void (await open.reader.query("select 1"))),
    now: () =>
      answer(async (open) => {
        const [row] = await open.reader.query(`select :"schema".now_ms()::float8 as now`);
        return Number(row?.now);
      }),
    create: (runs) =>
      write(async (open) => {
        const results = await create(open, runs);
        told(runs, results);
        return results;
      }),
    claim: (request) => write((open) => claim(open, request, silence.mayBury())),
    append: (appends) =>
      write(async (open) => {
        const results = await append(open, appends);
        told(appends, results);
        return results;
      }),
    signal: (signals) => write((open) => signal(open, signals)),
    begin: () => write((open) => begin(open, (put) => hints?.tell(put))),
    renew: (request) =>
      answer(async (open) => {
        if (open.movedTo === null) {
          const result = await renew(open, request, silence.mayBury());
          silence.renewed(request.leaseMs);
          return result;
        }
        await retire(open, request.worker);
        open.accept();
        return { kind: "dead" };
      }),
    retire: (worker) => answer((open) => retire(open, worker)),
    get: (id) => of(id, undefined, async (open) => (await selectRuns(open.reader, "where id = $1::uuid", [id]))[0]),
    journal: (id, afterSeq = 0, limit = 1_000) =>
      of(id, [], (open) => selectJournal(open.reader, id, afterSeq, Math.min(limit, MAX_ROWS))),
    checkpoints: (id) => of(id, [], (open) => selectCheckpoints(open.reader, id)),
    list: (query) => answer((open) => listRuns(open, query)),
    workers: () => answer(listWorkers),
    count: () => answer(countRuns),
    stranded: (known) => answer((open) => stranded(open, known)),
    prune: (endedBefore, limit) => write((open) => prune(open, endedBefore, limit)),
  };
}

/** While the server writes and syncs one, the next is made, on another core. Measured: few rows are better off together. */
const LANES = { count: 2, worth: 32 };

/** What they brought is in the outbox. */
const TAKEN: ReadonlySet<unknown> = new Set(["appended", "created"]);

/** The largest limit that the statement takes. */
const MAX_ROWS = 2 ** 31 - 1;
