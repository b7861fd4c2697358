/**
 * Many new entities at once, for tests and trials: rows of one statement each, which nobody is told of. What is a part of the
 * service's work goes through its repositories.
 */
import { Refusal } from "../../application/errors.js";
import type { Identified } from "../../domain/fields.js";
import { columnsOf, type Queries, type Table } from "./table.js";
import type { Dialect } from "./table-backed.js";

/** PostgreSQL takes 65,535 values in a statement, SQLite 32,766. */
const MAX_VALUES = 32_000;
const MAX_ROWS = 1_000;

export interface TableFill {
  /** Entities that go into one statement, at most. */
  readonly rows: number;
  /** All of them or, where one does not fit, none. Throws a `Refusal` for what is there already. */
  insert(entities: readonly Identified[]): Promise<void>;
}

export function fillTable(
  queries: Queries,
  table: Table,
  { toColumn, constraintOf }: Pick<Dialect, "toColumn" | "constraintOf">,
): TableFill {
  const columns = columnsOf(table);
  const rowOf = (entity: Identified): Record<string, unknown> => {
    const values = entity as unknown as Readonly<Record<string, unknown>>;
    return Object.fromEntries(columns.map(([property, { name, type }]) => [name, toColumn(type, values[property])]));
  };
  return {
    rows: Math.min(MAX_ROWS, Math.floor(MAX_VALUES / columns.length)),
    async insert(entities) {
      try {
        await queries.insertInto(table.name).values(entities.map(rowOf)).execute();
      } catch (error) {
        if (constraintOf(error)?.kind !== "unique") throw error;
        throw new Refusal("unique-violation", `Something in ${table.name} has values that have to be unique already.`);
      }
    },
  };
}
