import { CompiledQuery } from "kysely";
import type { Change, Queries, Teller } from "../table.js";

/** What events are put by, within the transaction. */
export interface PostgresClient {
  query(text: string, values: readonly unknown[]): Promise<unknown>;
}

export type PostgresTell = (client: PostgresClient, table: string, change: Change) => Promise<void>;

/**
 * The change and its events in one transaction. The row is locked before an event of it gets its place in the outbox, and
 * each statement sees what was committed before it: so events of one row are in the order of its changes.
 */
export function postgresTeller(queries: Queries, tell: PostgresTell): Teller {
  return {
    write: (statement, table, change) =>
      queries
        .transaction()
        .setIsolationLevel("read committed")
        .execute(async (transaction) => {
          const { numAffectedRows = 0n } = await transaction.executeQuery(statement);
          const query = (text: string, values: readonly unknown[]) =>
            transaction.executeQuery(CompiledQuery.raw(text, [...values]));
          if (numAffectedRows > 0n) await tell({ query }, table, change);
          return Number(numAffectedRows);
        }),
  };
}
