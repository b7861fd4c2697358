/** Filling tables in whichever database is open. */
import type { OpenedDatabase } from "./database.js";
import { fillTable, type TableFill } from "./fill-table.js";
import * as postgresValues from "./postgres/column-values.js";
import * as postgresErrors from "./postgres/driver-errors.js";
import * as postgresQueries from "./postgres/queries.js";
import * as sqliteValues from "./sqlite/column-values.js";
import * as sqliteErrors from "./sqlite/driver-errors.js";
import * as sqliteQueries from "./sqlite/queries.js";
import type { Queries, Table } from "./table.js";

export interface Filling {
  fill(table: Table): TableFill;
  /** The first thousand ids of a table. */
  idsIn(table: string): Promise<readonly string[]>;
}

const SOME = 1_000;

export function filling(opened: OpenedDatabase): Filling {
  const isSqlite = opened.driver === "sqlite";
  const queries: Queries = isSqlite
    ? sqliteQueries.createQueries(opened.database)
    : postgresQueries.createQueries(opened.database.pool);
  const { toColumn } = isSqlite ? sqliteValues : postgresValues;
  const { constraintOf } = isSqlite ? sqliteErrors : postgresErrors;
  return {
    fill: (table) => fillTable(queries, table, { toColumn, constraintOf }),
    async idsIn(table) {
      const rows = await queries.selectFrom(table).select("id").orderBy("id").limit(SOME).execute();
      return rows.map(({ id }) => String(id));
    },
  };
}
