import { Kysely, SqliteDialect } from "kysely";
import type { Tables } from "../table.js";
import type { SqliteDatabase } from "./database.js";

export type { Tables } from "../table.js";

/**
 * Kysely over one connection: statements take turns, transactions run one after the other. Closing the database stays
 * with whoever opened it.
 */
export function createQueries(database: SqliteDatabase): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
}
