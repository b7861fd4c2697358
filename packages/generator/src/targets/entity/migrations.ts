/**
 * The first migration, once for each database: every table, its constraints and indexes. SQLite looks at a reference
 * when a row is written, PostgreSQL when the table is made; there, a reference to a table that stands later (a cycle)
 * is added at the end.
 */
import type { EntityModel, FieldModel, FieldType } from "../../model.js";
import { maxLengthOf } from "./field-limits.js";
import { foreignKeyName, type IndexName, indexesOf } from "./sql-names.js";

export type Database = "sqlite" | "postgres";

const HEADER = `-- Yours: the first tables, as the config declared them. Once applied, leave it as it is and write the next migration.
`;

const TYPES: Readonly<Record<Database, Readonly<Record<FieldType, string>>>> = {
  sqlite: {
    string: "TEXT",
    text: "TEXT",
    integer: "INTEGER",
    bigint: "INTEGER",
    decimal: "TEXT",
    boolean: "INTEGER",
    uuid: "TEXT",
    date: "TEXT",
    timestamp: "TEXT",
    json: "TEXT",
    enum: "TEXT",
    reference: "TEXT",
  },
  postgres: {
    string: "text",
    text: "text",
    // As far as a double counts exactly: 53 bits do not fit an integer of 32.
    integer: "bigint",
    bigint: "bigint",
    decimal: "numeric",
    boolean: "boolean",
    uuid: "uuid",
    date: "date",
    timestamp: "timestamptz(3)",
    json: "jsonb",
    enum: "text",
    reference: "uuid",
  },
};

export function upMigration(entities: readonly EntityModel[], database: Database): string {
  const indexes = indexesOf(entities);
  const blocks = entities.map((entity) => {
    const rows = [
      ...columnsBefore(database),
      ...entity.fields.map((field) => column(entities, entity, field, database)),
    ];
    const table = `CREATE TABLE ${quoted(entity.plural.snake)} (\n${[...rows, ...columnsAfter(database)]
      .map((row) => `  ${row}`)
      .join(",\n")}\n)${database === "sqlite" ? " STRICT" : ""};\n`;
    const lines = (indexes.get(entity.name.pascal) ?? []).map((index) => createIndex(entity, index, database));
    return table + lines.join("");
  });
  const late = database === "postgres" ? lateReferences(entities).map(addReference(entities)) : [];
  return [HEADER, ...blocks, ...late].join("\n");
}

export function downMigration(entities: readonly EntityModel[], database: Database): string {
  const tables = [...entities].reverse().map(({ plural }) => quoted(plural.snake));
  // In one statement PostgreSQL takes tables that refer to each other.
  if (database === "postgres") return `${HEADER}\nDROP TABLE ${tables.join(", ")};\n`;
  // SQLite empties a table before it goes, and what refers to it may say no.
  const loose = lateReferences(entities, true).map(
    ([entity, field]) => `UPDATE ${quoted(entity.plural.snake)} SET ${quoted(field.name.snake)} = NULL;\n`,
  );
  return [`${HEADER}\n`, ...loose, ...tables.map((table) => `DROP TABLE ${table};\n`)].join("");
}

function columnsBefore(database: Database): string[] {
  if (database === "postgres") return [`"id" uuid PRIMARY KEY`, `"revision" bigint NOT NULL`];
  return [`"id" TEXT NOT NULL PRIMARY KEY`, `"revision" INTEGER NOT NULL`];
}

function columnsAfter(database: Database): string[] {
  const type = TYPES[database].timestamp;
  return [`"created_at" ${type} NOT NULL`, `"updated_at" ${type} NOT NULL`];
}

function column(entities: readonly EntityModel[], entity: EntityModel, field: FieldModel, database: Database): string {
  const parts = [quoted(field.name.snake), TYPES[database][field.type]];
  if (field.required) parts.push("NOT NULL");
  parts.push(...checks(entity, field, database).map((condition) => `CHECK (${condition})`));
  const late = database === "postgres" && lateReferences(entities).some(([, other]) => other === field);
  if (field.reference !== null && !late) parts.push(references(entities, field));
  return parts.join(" ");
}

/** What the database can hold to by itself. Patterns stay with the domain: the dialects of expressions differ. */
function checks(entity: EntityModel, field: FieldModel, database: Database): string[] {
  const name = quoted(field.name.snake);
  const conditions: string[] = [];
  if (field.type === "boolean" && database === "sqlite") conditions.push(`${name} IN (0, 1)`);
  if (field.type === "enum" && field.values.every(isStorable)) {
    conditions.push(`${name} IN (${field.values.map(text).join(", ")})`);
  }
  const length = `${database === "sqlite" ? "length" : "char_length"}(${name})`;
  const maxLength = maxLengthOf(entity, field);
  if (field.minLength !== null) conditions.push(`${length} >= ${number(field.minLength)}`);
  if (maxLength !== null) conditions.push(`${length} <= ${number(maxLength)}`);
  // SQLite keeps decimals as text, which it cannot compare as numbers without rounding them.
  const comparable = field.type !== "decimal" || database === "postgres";
  if (field.min !== null && comparable) conditions.push(`${name} >= ${number(field.min)}`);
  if (field.max !== null && comparable) conditions.push(`${name} <= ${number(field.max)}`);
  return conditions;
}

const ON_DELETE = { restrict: "RESTRICT", cascade: "CASCADE", set_null: "SET NULL" } as const;

function references(entities: readonly EntityModel[], field: FieldModel): string {
  const target = entities.find(({ name }) => name.pascal === field.reference?.entity.pascal);
  if (target === undefined || field.reference === null) throw new Error(`${field.name.raw} refers to no entity`);
  return `REFERENCES ${quoted(target.plural.snake)} ("id") ON DELETE ${ON_DELETE[field.reference.onDelete]}`;
}

type Reference = readonly [entity: EntityModel, field: FieldModel];

/** References to a table that stands later; with `orSame`, to the table itself too. Required ones cannot be: no row could come first. */
function lateReferences(entities: readonly EntityModel[], orSame = false): Reference[] {
  const position = new Map(entities.map(({ name }, index) => [name.pascal, index]));
  return entities.flatMap((entity, index) =>
    entity.fields
      .filter(({ reference }) => {
        const target = reference === null ? -1 : (position.get(reference.entity.pascal) ?? -1);
        return target > index || (orSame && target === index);
      })
      .filter((field) => !orSame || !field.required)
      .map((field): Reference => [entity, field]),
  );
}

function addReference(entities: readonly EntityModel[]) {
  return ([entity, field]: Reference): string =>
    `ALTER TABLE ${quoted(entity.plural.snake)} ADD CONSTRAINT ${quoted(foreignKeyName(entity, field))}
  FOREIGN KEY (${quoted(field.name.snake)}) ${references(entities, field)};\n`;
}

function createIndex(entity: EntityModel, { name, columns, unique }: IndexName, database: Database): string {
  const keys = columns.map((key) => {
    const decimal = entity.fields.some((field) => field.name.snake === key && field.type === "decimal");
    return unique && decimal && database === "sqlite" ? decimalKey(quoted(key)) : quoted(key);
  });
  const kind = unique ? "UNIQUE INDEX" : "INDEX";
  return `CREATE ${kind} ${quoted(name)} ON ${quoted(entity.plural.snake)} (${keys.join(", ")});\n`;
}

/** As text 1.0 and 1.00 differ; without the zeros at the end they do not. */
function decimalKey(name: string): string {
  return `CASE WHEN instr(${name}, '.') > 0 THEN rtrim(rtrim(${name}, '0'), '.') ELSE ${name} END`;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const isStorable = (value: string): boolean => !value.includes("\0") && value.isWellFormed();

/** Bounds were read as numbers; whatever else comes here must not become SQL. */
function number(value: number | string): string {
  const digits = String(value);
  if (!/^[+-]?\d+(\.\d+)?$/.test(digits)) throw new Error(`expected a number in plain digits, got ${digits}`);
  return digits;
}
