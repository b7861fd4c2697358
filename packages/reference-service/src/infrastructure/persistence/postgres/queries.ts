import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import type { Pool } from "pg";
import type { Tables } from "../table.js";
import { isUnavailable } from "./driver-errors.js";

export type { Tables } from "../table.js";

/** Kysely over the pool: each statement takes a connection, a transaction keeps its own. Closing the pool stays with its opener. */
export function createQueries(pool: Pool): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: sound(pool) }) });
}

/** A connection that broke, or still owes an answer, must not go back to the pool: the next one to take it would wait for it. */
function sound(pool: Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect();
      let broken = false;
      const query = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
        try {
          return await client.query(sql, [...parameters]);
        } catch (error) {
          broken ||= isUnavailable(error);
          throw error;
        }
      };
      // The other form, with a cursor, is Kysely's for streams, which this service does not read.
      return { query: query as PostgresPoolClient["query"], release: () => client.release(broken) };
    },
    end: () => pool.end(),
  };
}
