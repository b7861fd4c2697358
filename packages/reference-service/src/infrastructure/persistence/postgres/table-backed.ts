import type { Repository } from "../../../application/ports/repository.js";
import type { Identified } from "../../../domain/fields.js";
import type { Queries, Table } from "../table.js";
import { type Dialect, tableBacked } from "../table-backed.js";
import { fromColumn, toColumn } from "./column-values.js";
import { constraintOf, isUnavailable } from "./driver-errors.js";

const POSTGRES: Dialect = { toColumn, fromColumn, constraintOf, isUnavailable };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Entities in PostgreSQL, driven by their table's description. */
export function createTableRepository<Entity extends Identified>(queries: Queries, table: Table): Repository<Entity> {
  const repository = tableBacked<Entity>(queries, table, POSTGRES);
  return {
    ...repository,
    // Text of another shape is the id of nothing; the server would call it an error.
    find: async (id) => (UUID.test(id) ? repository.find(id) : null),
    remove: async (id, expected) => UUID.test(id) && repository.remove(id, expected),
  };
}
