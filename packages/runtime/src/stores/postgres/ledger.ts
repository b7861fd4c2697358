import { type ClientBase, Pool } from "pg";
import { RuntimeError } from "../../errors.js";
import type {
  Ledger,
  LedgerEntry,
  LedgerPage,
  LedgerQuery,
  LedgerRecord,
  NewLedgerEntry,
} from "../../participants/ledger.js";
import { type Clock, systemPorts } from "../../ports.js";

export interface PostgresLedgerOptions {
  /** `postgresql://user@host:port/database` */
  readonly url: string;
  /** Of `at`. Default: the system's. */
  readonly clock?: Clock;
  /** Most connections at once. Default 2: its records are written one after the other. */
  readonly connections?: number;
}

const SCHEMA = `
create table if not exists clean_arch_ledger (
  place bigint generated always as identity primary key,
  key text not null unique,
  run text not null,
  service text not null,
  stage text not null,
  kind text not null,
  reference text not null,
  at bigint not null,
  calls integer not null
);
create index if not exists clean_arch_ledger_run on clean_arch_ledger (run, place);
create table if not exists clean_arch_ledger_failures (key text primary key, failures integer not null);`;

/** Of this database: who records or creates the tables holds it until the commit. */
const LOCK = "select pg_advisory_xact_lock(hashtextextended('clean_arch_ledger', 0))";

const COLUMNS = "key, run, service, stage, kind, reference, at, calls";

const COMPENSATED = `
select 1 from clean_arch_ledger
where key = $1 and not exists (select 1 from clean_arch_ledger where key = $2)`;

const RECORD = `
insert into clean_arch_ledger (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, 1)
on conflict (key) do update set calls = clean_arch_ledger.calls + 1
returning ${COLUMNS}`;

const FAIL = `
insert into clean_arch_ledger_failures as counted (key, failures) select $1, 1 where $2::int > 0
on conflict (key) do update set failures = counted.failures + 1 where counted.failures < $2
returning failures`;

const LIST = `
select place, ${COLUMNS} from clean_arch_ledger
where place > $1 and ($2::text is null or run = $2) order by place limit $3`;

const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 30_000;

/**
 * A ledger in a PostgreSQL database, opened with the first call, shared by all instances that simulate their participants
 * there. Records are taken one after the other, under a lock: a call and its compensation never miss each other, and a
 * list has no gap that fills later. That is slow on purpose, and for development.
 */
export function createPostgresLedger(options: PostgresLedgerOptions): Ledger {
  const { url, clock = systemPorts.clock, connections = 2 } = options;
  let opening: Promise<Pool> | undefined;

  const opened = (): Promise<Pool> => {
    opening ??= open(url, connections).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  return {
    async record(entry) {
      const pool = await opened();
      return exclusively(pool, (client) => record(client, entry, clock.now()));
    },
    async failOnPurpose(key, times) {
      const pool = await opened();
      const { rowCount } = await answering(() => pool.query(FAIL, [key, times]));
      return rowCount === 1;
    },
    async list(query) {
      const after = placeOf(query.cursor);
      return list(await opened(), query, after);
    },
    async close() {
      const closing = opening;
      opening = undefined;
      // One that could not be opened has nothing to close.
      const pool = await closing?.catch(() => undefined);
      await pool?.end();
    },
  };
}

async function open(url: string, connections: number): Promise<Pool> {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
  // A connection that breaks while nobody uses it is replaced; without a listener its error would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    await exclusively(pool, (client) => client.query(SCHEMA));
    return pool;
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function exclusively<Result>(pool: Pool, work: (client: ClientBase) => Promise<Result>): Promise<Result> {
  return answering(async () => {
    const client = await pool.connect();
    try {
      await client.query("begin");
      await client.query(LOCK);
      const result = await work(client);
      await client.query("commit");
      client.release();
      return result;
    } catch (error) {
      // Closing the connection ends the transaction, whatever state it is in.
      client.release(true);
      throw error;
    }
  });
}

/** Whatever the server or the way to it says no with: a simulated service that does not answer. */
async function answering<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message = `expected the ledger's database to answer, got: ${why}`;
    throw new RuntimeError("store-unavailable", message, {}, { cause: error });
  }
}

async function record(client: ClientBase, given: NewLedgerEntry, now: number): Promise<LedgerRecord> {
  const { key, run, service, stage, kind, reference } = given;
  if (kind === "forward") {
    const { rowCount } = await client.query(COMPENSATED, [`${key}:compensate`, key]);
    if (rowCount === 1) return { first: false, late: true, entry: { ...given, at: now, calls: 0 } };
  }
  const { rows } = await client.query<LedgerRow>(RECORD, [key, run, service, stage, kind, reference, now]);
  const [row] = rows;
  if (row === undefined) throw new RuntimeError("internal", `expected the entry of ${key} back, got none`);
  const entry = entryOf(row);
  return { first: entry.calls === 1, late: false, entry };
}

async function list(pool: Pool, { run, limit = 50 }: LedgerQuery, after: string): Promise<LedgerPage> {
  const { rows } = await answering(() => pool.query<PlacedRow>(LIST, [after, run ?? null, limit + 1]));
  const page = rows.slice(0, limit);
  const nextCursor = rows.length > limit ? (page.at(-1)?.place ?? after) : null;
  return { items: page.map(entryOf), nextCursor };
}

function placeOf(cursor = "0"): string {
  if (/^\d{1,15}$/.test(cursor)) return cursor;
  throw new RuntimeError("input-invalid", `expected a cursor of this list, got ${JSON.stringify(cursor)}`);
}

/** The driver gives a bigint as text. */
type LedgerRow = Omit<LedgerEntry, "at"> & { readonly at: string };
type PlacedRow = LedgerRow & { readonly place: string };

function entryOf({ key, run, service, stage, kind, reference, at, calls }: LedgerRow): LedgerEntry {
  return { key, run, service, stage, kind, reference, at: Number(at), calls };
}
