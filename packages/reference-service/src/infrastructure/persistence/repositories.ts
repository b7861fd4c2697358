import type { Repositories } from "../../application/use-cases/use-cases.generated.js";
import type { OpenedDatabase } from "./database.js";
import * as postgresQueries from "./postgres/queries.js";
import * as postgres from "./postgres/repositories.generated.js";
import * as sqliteQueries from "./sqlite/queries.js";
import * as sqlite from "./sqlite/repositories.generated.js";
import type { Queries, Teller } from "./table.js";

/** Makes who is told of changes in that database. */
export type TellerOn = (opened: OpenedDatabase, queries: Queries) => Teller;

/** The repositories of every entity, in the database that is open. */
export function repositoriesOn(opened: OpenedDatabase, tellerOn?: TellerOn): Repositories {
  const told = (queries: Queries): Queries =>
    tellerOn === undefined ? queries : Object.assign(queries, { teller: tellerOn(opened, queries) });
  if (opened.driver === "sqlite") return sqlite.repositoriesIn(told(sqliteQueries.createQueries(opened.database)));
  return postgres.repositoriesIn(told(postgresQueries.createQueries(opened.database.pool)));
}
