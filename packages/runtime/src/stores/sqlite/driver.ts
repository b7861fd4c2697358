import { createRequire } from "node:module";
import { RuntimeError } from "../../errors.js";

/** The least that both SQLite drivers can do. Calls are synchronous and throw the driver's own errors. */
export interface Driver {
  readonly name: "node:sqlite" | "libsql";
  open(file: string): Handle;
}

export interface Handle {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface Statement {
  all(params: readonly SqlValue[]): Record<string, unknown>[];
  run(params: readonly SqlValue[]): { readonly changes: number };
}

export type SqlValue = string | number | null;

interface NodeSqlite {
  readonly DatabaseSync: new (
    file: string,
  ) => {
    exec(sql: string): void;
    prepare(sql: string): {
      all(...params: SqlValue[]): unknown[];
      run(...params: SqlValue[]): { changes: number | bigint };
    };
    close(): void;
  };
}

type Libsql = new (
  file: string,
) => {
  exec(sql: string): void;
  prepare(sql: string): {
    all(params: readonly SqlValue[]): unknown[];
    run(params: readonly SqlValue[]): { changes: number };
  };
  close(): void;
};

const require = createRequire(import.meta.url);

let loaded: Driver | undefined;

/**
 * `node:sqlite` where Node has it, else the `libsql` package. Never both in one process: two SQLite libraries would drop
 * each other's POSIX locks on a shared file. Error: `store-incompatible` when there is neither.
 */
export function loadDriver(): Driver {
  loaded ??= nodeSqlite() ?? libsql();
  return loaded;
}

function nodeSqlite(): Driver | undefined {
  const builtin = process.getBuiltinModule?.("node:sqlite") as unknown as NodeSqlite | undefined;
  if (!builtin) return undefined;
  return {
    name: "node:sqlite",
    open(file) {
      const database = new builtin.DatabaseSync(file);
      return {
        exec: (sql) => database.exec(sql),
        prepare(sql) {
          const statement = database.prepare(sql);
          return {
            all: (params) => statement.all(...params) as Record<string, unknown>[],
            run: (params) => ({ changes: Number(statement.run(...params).changes) }),
          };
        },
        close: () => database.close(),
      };
    },
  };
}

function libsql(): Driver {
  let Constructor: Libsql;
  try {
    Constructor = require("libsql") as Libsql;
  } catch (cause) {
    throw new RuntimeError(
      "store-incompatible",
      `expected an SQLite driver, got none: Node ${process.versions.node} has no node:sqlite and the package libsql does not load; run "npm install libsql" or use Node 22.13 or newer`,
      { node: process.versions.node },
      { cause },
    );
  }
  return {
    name: "libsql",
    open(file) {
      const database = new Constructor(file);
      return {
        exec: (sql) => void database.exec(sql),
        prepare(sql) {
          const statement = database.prepare(sql);
          // Not `get`: it adds a member `_metadata` to the row.
          return {
            all: (params) => statement.all(params) as Record<string, unknown>[],
            run: (params) => ({ changes: statement.run(params).changes }),
          };
        },
        close: () => database.close(),
      };
    },
  };
}
