/**
 * What a changed config means for data that is there already. Migrations are the user's, so nothing here is written:
 * each change of a table is said once, by the run that brings it, together with the migration to write.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";

import type { Diagnostic } from "./diagnostics.js";
import type { EntityModel, FieldModel, Model } from "./model.js";

const FOLDERS = ["migrations/sqlite", "migrations/postgres"];

/** Of a project written from `before` that is now written from `after`. */
export function dataChanges(before: Model, after: Model, folder: string, shownAs: string): Diagnostic[] {
  const place = { severity: "warning", line: 1, column: 1, key: "" } as const;
  const found: Diagnostic[] = [];
  const changes = before.entities.length === 0 ? [] : tableChanges(before.entities, after.entities);
  if (changes.length > 0) {
    const next = `${nextNumber(folder)}_<name>`;
    found.push({
      ...place,
      code: "migration-needed",
      file: join(shownAs, "migrations"),
      expected: `a migration for ${changes.join(", ")}`,
      got: "only those of before: they are yours and stay as they are",
      hint: `write ${FOLDERS.map((path) => `${path}/${next}.up.sql`).join(" and ")}, each with its .down.sql`,
    });
  }
  const [was, is] = [placeOf(before), placeOf(after)];
  if (was !== is) {
    const { driver, file } = before.database;
    const back = driver === "postgres" ? "database.driver to postgres" : `database.url to file:${file}`;
    const what = driver === "postgres" || after.database.driver === "postgres" ? "data" : "file";
    found.push({
      ...place,
      code: "database-moved",
      file: join(shownAs, "configs/app.yaml"),
      expected: `the database where it was, ${was}`,
      got: is,
      hint: `move the ${what}, or set ${back}`,
    });
  }
  return found;
}

const placeOf = ({ database: { driver, url, file } }: Model): string =>
  driver === "postgres" ? (url ?? "a PostgreSQL server") : file;

/** `Order.priority added`, `the indexes of Order changed`, `Invoice removed`. */
function tableChanges(before: readonly EntityModel[], after: readonly EntityModel[]): string[] {
  const old = new Map(before.map((entity) => [entity.plural.snake, entity]));
  const now = new Map(after.map((entity) => [entity.plural.snake, entity]));
  return [
    ...after.flatMap((entity) => {
      const earlier = old.get(entity.plural.snake);
      return earlier === undefined ? [`${entity.name.pascal} added`] : columnChanges(earlier, entity);
    }),
    ...before.filter((entity) => !now.has(entity.plural.snake)).map((entity) => `${entity.name.pascal} removed`),
  ];
}

function columnChanges(before: EntityModel, after: EntityModel): string[] {
  const old = new Map(before.fields.map((field) => [field.name.snake, field]));
  const now = new Set(after.fields.map((field) => field.name.snake));
  const said = (field: FieldModel, what: string): string => `${after.name.pascal}.${field.name.snake} ${what}`;
  const fields = after.fields.flatMap((field) => {
    const earlier = old.get(field.name.snake);
    if (earlier === undefined) return [said(field, "added")];
    return columnOf(earlier) === columnOf(field) ? [] : [said(field, "changed")];
  });
  const gone = before.fields.filter((field) => !now.has(field.name.snake)).map((field) => said(field, "removed"));
  const indexes = JSON.stringify(before.indexes) === JSON.stringify(after.indexes);
  return [...fields, ...gone, ...(indexes ? [] : [`the indexes of ${after.name.pascal} changed`])];
}

/** What the database holds to; defaults and patterns are the service's. */
const columnOf = ({ type, required, unique, min, max, minLength, maxLength, values, reference }: FieldModel): string =>
  JSON.stringify([type, required, unique, min, max, minLength, maxLength, values, reference]);

function nextNumber(folder: string): string {
  const numbers = FOLDERS.flatMap((path) => {
    try {
      return readdirSync(join(folder, path));
    } catch {
      return [];
    }
  }).map((name) => Number(/^(\d{4})_/.exec(name)?.[1] ?? 0));
  return String(Math.max(0, ...numbers) + 1).padStart(4, "0");
}
