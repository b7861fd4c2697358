/** Yours: BoundVolume in PostgreSQL. Add the queries that the port asks for beside what every table can do. */
import type { Kysely } from "kysely";
import type { BoundVolumeRepository } from "../../../application/ports/bound-volume-repository.js";
import { boundVolumeTable } from "../bound-volume-table.generated.js";
import type * as queries from "./queries.js";
import { createTableRepository } from "./table-backed.js";

export function postgresBoundVolumeRepository(database: Kysely<queries.Tables>): BoundVolumeRepository {
  return createTableRepository(database, boundVolumeTable);
}
