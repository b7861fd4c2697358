import type { Repository } from "../../../application/ports/repository.js";
import type { Identified } from "../../../domain/fields.js";
import type { Queries, Table } from "../table.js";
import { type Dialect, tableBacked } from "../table-backed.js";
import { fromColumn, toColumn } from "./column-values.js";
import { constraintOf, isUnavailable } from "./driver-errors.js";

const SQLITE: Dialect = { toColumn, fromColumn, constraintOf, isUnavailable };

/** Entities in SQLite, driven by their table's description. */
export function createTableRepository<Entity extends Identified>(queries: Queries, table: Table): Repository<Entity> {
  return tableBacked(queries, table, SQLITE);
}
