/** Yours: ShelfMark in PostgreSQL. Add the queries that the port asks for beside what every table can do. */
import type { Kysely } from "kysely";
import type { ShelfMarkRepository } from "../../../application/ports/shelf-mark-repository.js";
import { shelfMarkTable } from "../shelf-mark-table.generated.js";
import type * as queries from "./queries.js";
import { createTableRepository } from "./table-backed.js";

export function postgresShelfMarkRepository(database: Kysely<queries.Tables>): ShelfMarkRepository {
  return createTableRepository(database, shelfMarkTable);
}
