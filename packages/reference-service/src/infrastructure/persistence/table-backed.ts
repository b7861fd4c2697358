/**
 * Entities in a database, driven by their table's description. Every change is one statement, so it happens whole or not
 * at all and holds no lock across an `await`; where others are told of changes, that is part of its transaction. Names are
 * quoted, values are bound. What differs between databases is what their columns hold and how they refuse.
 */
import type { Compilable } from "kysely";
import { Refusal, RuntimeError } from "../../application/errors.js";
import type { Conditions, Repository } from "../../application/ports/repository.js";
import type { FieldType, Identified } from "../../domain/fields.js";
import type { Constraint } from "./constraint.js";
import { type Change, columnsOf, type Queries, type Table } from "./table.js";

type Row = Record<string, unknown>;

export interface Dialect {
  toColumn(type: FieldType, value: unknown): unknown;
  fromColumn(type: FieldType, value: unknown): unknown;
  /** Null when the error is something else. */
  constraintOf(error: unknown): Constraint | null;
  /** True when the database could not be used just now, whatever was asked of it. */
  isUnavailable(error: unknown): boolean;
}

export function tableBacked<Entity extends Identified>(
  queries: Queries,
  table: Table,
  { toColumn, fromColumn, constraintOf, isUnavailable }: Dialect,
): Repository<Entity> {
  const columns = columnsOf(table);
  const columnOf = new Map(columns);

  const rowOf = (entity: Entity): Row => {
    const values = entity as unknown as Row;
    return Object.fromEntries(columns.map(([property, { name, type }]) => [name, toColumn(type, values[property])]));
  };
  const entityOf = (row: Row): Entity =>
    Object.fromEntries(columns.map(([property, { name, type }]) => [property, fromColumn(type, row[name])])) as Entity &
      Row;

  /** A database that cannot be used just now is the caller's to try again; anything else is a fault and passes. */
  async function answering<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      throw new RuntimeError("store-unavailable", "The database does not answer now. Try again.", {}, { cause: error });
    }
  }

  /** Turns what the database forbids into a refusal. */
  async function refusing<Result>(write: () => Promise<Result>, entity: Entity | null): Promise<Result> {
    try {
      return await answering(write);
    } catch (error) {
      const constraint = constraintOf(error);
      if (constraint === null) throw error;
      if (constraint.kind === "unique") throw takenBy(constraint.index, constraint.columns);
      if (entity === null) throw new Refusal("still-referenced", "Something still refers to it.");
      throw await missingReference(entity);
    }
  }

  function takenBy(index: string | null, names: readonly string[]): Refusal {
    const unique = index === null ? undefined : table.uniques[index];
    const properties = columns
      .filter(([property, column]) => unique?.includes(property) ?? names.includes(column.name))
      .map(([property]) => property);
    const together =
      properties.length > 1 ? "expected values that are not taken together" : "expected a value not taken";
    const violations = properties.map((path) => ({ path, message: together }));
    return new Refusal("unique-violation", "Another one has these values.", violations);
  }

  /** SQLite does not say which reference led nowhere, PostgreSQL only the first. */
  async function missingReference(entity: Entity): Promise<Refusal> {
    const values = entity as unknown as Row;
    const violations = [];
    for (const [path, { references }] of columns) {
      const id = values[path];
      if (references === undefined || id === null || id === values.id) continue;
      const found = await queries.selectFrom(references).select("id").where("id", "=", id).executeTakeFirst();
      if (found === undefined) violations.push({ path, message: "expected the id of one that exists" });
    }
    return new Refusal("reference-missing", "It refers to something that does not exist.", violations);
  }

  /** Each condition as its column and what that holds; null: nothing. */
  function columnsMet(where: Conditions): [name: string, value: unknown][] {
    return Object.entries(where).map(([property, value]) => {
      const column = columnOf.get(property);
      if (column === undefined) throw new Error(`expected a property of ${table.name}, got ${property}`);
      return [column.name, toColumn(column.type, value)];
    });
  }

  /** How many rows it changed. */
  async function write(statement: Compilable, change: Change): Promise<number> {
    const compiled = statement.compile();
    if (queries.teller !== undefined) return queries.teller.write(compiled, table.name, change);
    return Number((await queries.executeQuery(compiled)).numAffectedRows ?? 0n);
  }

  return {
    async insert(entity) {
      const insertion = queries.insertInto(table.name).values(rowOf(entity));
      await refusing(() => write(insertion, { kind: "created", entity }), entity);
    },

    async find(id) {
      const query = queries.selectFrom(table.name).selectAll().where("id", "=", id);
      const row = await answering(() => query.executeTakeFirst());
      return row === undefined ? null : entityOf(row);
    },

    async page({ limit, after, until = null, where = {} }) {
      let query = queries.selectFrom(table.name).selectAll().orderBy("id");
      for (const [name, value] of columnsMet(where)) query = query.where(name, value === null ? "is" : "=", value);
      if (after !== null) query = query.where("id", ">", after);
      if (until !== null) query = query.where("id", "<=", until);
      // One more than asked tells whether there is another page.
      const rows = await answering(() => query.limit(limit + 1).execute());
      const items = rows.slice(0, limit).map(entityOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async count(where = {}) {
      let query = queries.selectFrom(table.name).select(({ fn }) => fn.countAll().as("count"));
      for (const [name, value] of columnsMet(where)) query = query.where(name, value === null ? "is" : "=", value);
      return Number((await answering(() => query.executeTakeFirstOrThrow())).count);
    },

    async replace(entity, expected) {
      const { id, created_at, ...changes } = rowOf(entity);
      const update = queries.updateTable(table.name).set(changes).where("id", "=", id).where("revision", "=", expected);
      return (await refusing(() => write(update, { kind: "updated", entity, former: expected }), entity)) > 0;
    },

    async remove(id, expected) {
      let removal = queries.deleteFrom(table.name).where("id", "=", id);
      if (expected !== null) removal = removal.where("revision", "=", expected);
      return (await refusing(() => write(removal, { kind: "deleted", id }), null)) > 0;
    },
  };
}
