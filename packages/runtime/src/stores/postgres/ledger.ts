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
import { Connections, type PostgresOptions, type Queryable, type Row } from "./connections.js";

export interface PostgresLedgerOptions extends Pick<PostgresOptions, "url" | "schema"> {
  /** Of `at`. Default: the system's. */
  readonly clock?: Clock;
}

const SCHEMA = `
create schema if not exists :"schema";
create table if not exists :"schema".ledger (
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
create index if not exists ledger_run on :"schema".ledger (run, place);
create table if not exists :"schema".ledger_failures (key text primary key, failures integer not null)`;

/** Who records, or makes the tables, holds it until the commit. */
const LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))";

const COLUMNS = "key, run, service, stage, kind, reference, at, calls";

/** Whether its compensation is there, and whether it is there itself. */
const COMPENSATED = `select key from :"schema".ledger where key in ($1, $2)`;

const RECORD = `
insert into :"schema".ledger as kept (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, 1)
on conflict (key) do update set calls = kept.calls + 1
returning ${COLUMNS}`;

const FAIL = `
insert into :"schema".ledger_failures as counted (key, failures) select $1, 1 where $2::int > 0
on conflict (key) do update set failures = counted.failures + 1 where counted.failures < $2
returning failures`;

const LIST = `
select place, ${COLUMNS} from :"schema".ledger
where place > $1 and ($2::text is null or run = $2) order by place limit $3`;

/**
 * A ledger in a PostgreSQL database, opened with the first call, shared by all instances that simulate their participants
 * there. Records are taken one after the other, under a lock: a call and its compensation never miss each other, and a
 * list has no gap that fills later. That is slow on purpose, and for development. Errors: as of the run store.
 */
export function createPostgresLedger(options: PostgresLedgerOptions): Ledger {
  const { clock = systemPorts.clock } = options;
  let opening: Promise<Connections> | undefined;

  const opened = (): Promise<Connections> => {
    opening ??= open(options).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  return {
    async record(entry) {
      const connections = await opened();
      return exclusively(connections, (connection) => record(connection, entry, clock.now()));
    },
    async failOnPurpose(key, times) {
      const { writer } = await opened();
      return (await writer.query(FAIL, [key, times])).length > 0;
    },
    async list(query) {
      const after = placeOf(query.cursor);
      return list(await opened(), query, after);
    },
    async close() {
      const closing = opening;
      opening = undefined;
      // What could not be opened has closed itself.
      const connections = await closing?.catch(() => undefined);
      await connections?.close();
    },
  };
}

async function open({ url, schema }: PostgresLedgerOptions): Promise<Connections> {
  // One connection: records are taken one after the other.
  const connections = new Connections({ url, connections: 1, ...(schema !== undefined && { schema }) });
  try {
    await exclusively(connections, (connection) => connection.query(SCHEMA));
    return connections;
  } catch (error) {
    await connections.close();
    throw error;
  }
}

function exclusively<T>(connections: Connections, work: (connection: Queryable) => Promise<T>): Promise<T> {
  return connections.transaction(async (connection) => {
    await connection.query(LOCK, [`ledger of ${connection.schema}`]);
    return work(connection);
  });
}

const NOTHING: readonly unknown[] = [];

async function record(connection: Queryable, given: NewLedgerEntry, now: number): Promise<LedgerRecord> {
  const { key, run, service, stage, kind, reference } = given;
  const undo = `${key}:compensate`;
  const known =
    kind === "forward" ? (await connection.query(COMPENSATED, [undo, key])).map((found) => found.key) : NOTHING;
  const late = known.includes(undo);
  if (late && !known.includes(key)) return { first: false, late, entry: { ...given, at: now, calls: 0 } };
  const [row] = await connection.query(RECORD, [key, run, service, stage, kind, reference, now]);
  if (row === undefined) throw new RuntimeError("internal", `expected the entry of ${key} back, got none`);
  const entry = entryOf(row);
  return { first: entry.calls === 1, late, entry };
}

async function list({ reader }: Connections, { run, limit = 50 }: LedgerQuery, after: string): Promise<LedgerPage> {
  const rows = await reader.query(LIST, [after, run ?? null, limit + 1]);
  const page = rows.slice(0, limit);
  const nextCursor = rows.length > limit ? String(page.at(-1)?.place ?? after) : null;
  return { items: page.map(entryOf), nextCursor };
}

function placeOf(cursor = "0"): string {
  if (/^\d{1,15}$/.test(cursor)) return cursor;
  throw new RuntimeError("input-invalid", `expected a cursor of this list, got ${JSON.stringify(cursor)}`);
}

const entryOf = ({ key, run, service, stage, kind, reference, at, calls }: Row): LedgerEntry => ({
  key: String(key),
  run: String(run),
  service: String(service),
  stage: String(stage),
  kind: kind === "compensate" ? "compensate" : "forward",
  reference: String(reference),
  at: Number(at),
  calls: Number(calls),
});
