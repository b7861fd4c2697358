// cspell:ignore Introspector
/**
 * The repositories within a transaction of somebody else's, who commits it or not: what they change is a part of it. Each
 * statement, and each transaction of their own, is a savepoint: what the database refuses is undone alone, and the caller goes on.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { QueryResult as Answer, QueryConfig } from "pg";
import type { Tables } from "../table.js";
import { getTypeParser } from "./database.js";

/** `pg`'s own client, inside the transaction. */
export interface TransactionClient {
  query(query: string | QueryConfig): Promise<Answer>;
}

export function queriesWithin(client: TransactionClient): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driverOf(client),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

function driverOf(client: TransactionClient): Driver {
  const run = async (command: string): Promise<void> => void (await client.query(command));
  const connection: DatabaseConnection = {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      await run("SAVEPOINT statement");
      try {
        const answer = await client.query({ text: sql, values: [...parameters], types: { getTypeParser } });
        await run("RELEASE SAVEPOINT statement");
        return { rows: answer.rows as Row[], numAffectedRows: BigInt(answer.rowCount ?? 0) };
      } catch (error) {
        await run("ROLLBACK TO SAVEPOINT statement");
        throw error;
      }
    },
    streamQuery: () => {
      throw new Error("expected a query that is not streamed: this service reads pages");
    },
  };
  // One connection: whoever wants it waits for who has it, or one's rollback would undo what the other did.
  let free: Promise<void> = Promise.resolve();
  let release = (): void => {};
  return {
    // The owner's connection may have settings of its own; these last for the transaction.
    init: () => run("SET LOCAL DateStyle = 'ISO'; SET LOCAL TimeZone = 'UTC'"),
    async acquireConnection() {
      const before = free;
      let leave = (): void => {};
      free = new Promise((resolve) => {
        leave = resolve;
      });
      await before;
      release = leave;
      return connection;
    },
    beginTransaction: () => run("SAVEPOINT changes"),
    commitTransaction: () => run("RELEASE SAVEPOINT changes"),
    rollbackTransaction: () => run("ROLLBACK TO SAVEPOINT changes"),
    releaseConnection: async () => release(),
    destroy: async () => {},
  };
}
