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
import { type Database, openDatabase } from "./database.js";
import { type Migration, migrate } from "./migrate.js";

export interface SqliteLedgerOptions {
  /** Path of the database file; created with its folder when missing. */
  readonly file: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: "create ledger",
    sql: `
create table clean_arch_ledger (
  place integer primary key,
  key text not null unique,
  run text not null,
  service text not null,
  stage text not null,
  kind text not null,
  reference text not null,
  at integer not null,
  calls integer not null
) strict;
create index clean_arch_ledger_run on clean_arch_ledger (run, place);
create table clean_arch_ledger_failures (key text primary key not null, failures integer not null) strict, without rowid;
`,
  },
];

const COLUMNS = "key, run, service, stage, kind, reference, at, calls";

/** Whether its compensation is there, and whether it is there itself. */
const COMPENSATED = "select key from clean_arch_ledger where key in (?, ?)";

const RECORD = `
insert into clean_arch_ledger (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, 1)
on conflict (key) do update set calls = calls + 1
returning ${COLUMNS}`;

const FAIL = `
insert into clean_arch_ledger_failures (key, failures) select ?, 1 where ? > 0
on conflict (key) do update set failures = failures + 1 where failures < ?
returning failures`;

/** A ledger in an SQLite file, opened with the first call. */
export function createSqliteLedger({ file, clock = systemPorts.clock }: SqliteLedgerOptions): Ledger {
  let db: Database | undefined;
  const opened = (): Database => {
    if (db) return db;
    const opening = openDatabase(file);
    try {
      migrate(opening, "ledger", MIGRATIONS, clock.now());
    } catch (error) {
      opening.close();
      throw error;
    }
    db = opening;
    return opening;
  };
  return {
    record: async (entry) => record(opened(), entry, clock.now()),
    failOnPurpose: async (key, times) => opened().all(FAIL, [key, times, times]).length > 0,
    list: async (query) => list(opened(), query),
    close: async () => {
      db?.close();
      db = undefined;
    },
  };
}

function record(db: Database, given: NewLedgerEntry, now: number): LedgerRecord {
  const { key, run, service, stage, kind, reference } = given;
  return db.transaction(() => {
    const undo = `${key}:compensate`;
    const known = kind === "forward" ? db.all<{ key: string }>(COMPENSATED, [undo, key]).map((row) => row.key) : [];
    const late = known.includes(undo);
    if (late && !known.includes(key)) return { first: false, late, entry: { ...given, at: now, calls: 0 } };
    const [entry] = db.all<LedgerEntry>(RECORD, [key, run, service, stage, kind, reference, now]);
    if (!entry) throw new RuntimeError("internal", `expected the entry of ${key} back, got none`);
    return { first: entry.calls === 1, late, entry: { ...entry } };
  });
}

function list(db: Database, { run, limit = 50, cursor }: LedgerQuery): LedgerPage {
  const after = cursor === undefined ? 0 : Number(/^\d{1,15}$/.exec(cursor)?.[0]);
  if (Number.isNaN(after)) {
    throw new RuntimeError("input-invalid", `expected a cursor of this list, got ${JSON.stringify(cursor)}`);
  }
  const [condition, params] = run === undefined ? ["", []] : ["and run = ?", [run]];
  const sql = `select place, ${COLUMNS} from clean_arch_ledger where place > ? ${condition} order by place limit ?`;
  const rows = db.all<LedgerEntry & { readonly place: number }>(sql, [after, ...params, limit + 1]);
  const page = rows.slice(0, limit);
  const nextCursor = rows.length > limit ? String(page.at(-1)?.place ?? after) : null;
  return { items: page.map(({ place: _, ...entry }) => entry), nextCursor };
}
