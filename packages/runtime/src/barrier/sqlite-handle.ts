import type { Database, SqlValue } from "../stores/sqlite/database.js";

/** The least that the barrier needs of `node:sqlite`'s DatabaseSync, of better-sqlite3 or of libsql. */
export interface PreparingDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): {
    all(...params: SqlValue[]): unknown[];
    run(...params: SqlValue[]): { readonly changes: number | bigint };
  };
}

/** The least that it needs of the `Database` that `@clean-arch/runtime/sqlite` opens. */
export type TransactingDatabase = Pick<Database, "file" | "exec" | "all" | "run" | "transaction">;

export type SqliteDatabase = PreparingDatabase | TransactingDatabase;

/** Either of them as the barrier uses it: `transaction` within a transaction is a part of it that can be undone alone. */
export function sqliteHandle(database: SqliteDatabase): TransactingDatabase {
  return "prepare" in database ? transacting(database) : database;
}

function transacting(database: PreparingDatabase): TransactingDatabase {
  const statements = new Map<string, ReturnType<PreparingDatabase["prepare"]>>();
  const prepared = (sql: string): ReturnType<PreparingDatabase["prepare"]> => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  let depth = 0;
  const exec = (sql: string): void => void database.exec(sql);
  return {
    file: "the barrier's SQLite file",
    exec,
    all: <Row>(sql: string, params: readonly SqlValue[] = []) => prepared(sql).all(...params) as Row[],
    run: (sql, params = []) => ({ changes: Number(prepared(sql).run(...params).changes) }),
    transaction(body) {
      const name = `barrier_${depth}`;
      const [begin, end, undo] =
        depth === 0
          ? ["begin immediate", "commit", "rollback"]
          : [`savepoint ${name}`, `release ${name}`, `rollback to ${name}; release ${name}`];
      exec(begin);
      depth += 1;
      try {
        const result = body();
        exec(end);
        return result;
      } catch (error) {
        try {
          exec(undo);
        } catch {
          // On a full disk or an I/O error SQLite has undone everything already; the first error tells more.
        }
        throw error;
      } finally {
        depth -= 1;
      }
    },
  };
}
