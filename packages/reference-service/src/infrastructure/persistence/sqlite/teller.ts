import type { Change, Queries, Teller } from "../table.js";
import type { SqliteDatabase } from "./database.js";

/** What events are put by, within the transaction: the connection of the service's own tables. */
export interface SqliteClient {
  run(sql: string, parameters: readonly unknown[]): { readonly changes: number };
}

/** Puts the events of a change, before it returns. */
export type SqliteTell = (client: SqliteClient, table: string, change: Change) => void;

/**
 * The change and its events in one transaction. It begins and ends within one turn of the event loop: open across an `await`
 * it would keep the runtime's own connection out of the file, and with it everything else that this process writes.
 */
export function sqliteTeller(queries: Queries, database: SqliteDatabase, tell: SqliteTell): Teller {
  const client: SqliteClient = { run: (sql, parameters) => database.prepare(sql).run(parameters) };
  return {
    // Whoever has a transaction open on this connection finishes it first.
    write: (statement, table, change) =>
      queries.connection().execute(async () => {
        database.exec("BEGIN IMMEDIATE");
        try {
          const { changes } = client.run(statement.sql, statement.parameters);
          if (changes > 0) tell(client, table, change);
          database.exec("COMMIT");
          return changes;
        } catch (error) {
          rollback(database);
          throw error;
        }
      }),
  };
}

/** On some errors SQLite has done so already; the first one tells more. */
function rollback(database: SqliteDatabase): void {
  try {
    database.exec("ROLLBACK");
  } catch {}
}
