import type { Repositories } from "../../application/use-cases/use-cases.generated.js";
import type { OpenedDatabase } from "./database.js";
import * as postgresQueries from "./postgres/queries.js";
import * as postgres from "./postgres/repositories.generated.js";
import * as sqliteQueries from "./sqlite/queries.js";
import * as sqlite from "./sqlite/repositories.generated.js";

/** The repositories of every entity, in the database that is open. */
export function repositoriesOn({ driver, database }: OpenedDatabase): Repositories {
  if (driver === "sqlite") return sqlite.repositoriesIn(sqliteQueries.createQueries(database));
  return postgres.repositoriesIn(postgresQueries.createQueries(database.pool));
}
