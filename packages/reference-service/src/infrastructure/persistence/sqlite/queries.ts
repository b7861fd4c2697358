import { Kysely, SqliteDialect } from "kysely";
import type { SqliteDatabase } from "./database.js";

/** Tables by name, columns by name. A service with queries of its own gives its tables a type of their own. */
export type Tables = Record<string, Record<string, unknown>>;

/**
 * Kysely over one connection: statements take turns, transactions run one after the other. Closing the database stays
 * with whoever opened it.
 */
export function createQueries(database: SqliteDatabase): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
}
