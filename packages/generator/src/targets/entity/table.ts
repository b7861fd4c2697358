/** How each entity lies in its table, and the repositories of all of them. */
import type { EntityModel } from "../../model.js";
import type { Database } from "./migrations.js";
import { HEADER, importOf, json, print, type Source } from "./source.js";
import type { IndexName } from "./sql-names.js";

export function tableFile(
  entity: EntityModel,
  entities: readonly EntityModel[],
  indexes: readonly IndexName[],
): string {
  const columns = entity.fields.map(({ name, type, reference }): readonly [string, Source] => {
    const column: [string, Source][] = [
      ["name", json(name.snake)],
      ["type", json(type)],
    ];
    const target = entities.find((other) => other.name.pascal === reference?.entity.pascal);
    if (target !== undefined) column.push(["references", json(target.plural.snake)]);
    return [name.camel, { entries: column }];
  });
  const propertyOf = new Map(entity.fields.map(({ name }) => [name.snake, name.camel]));
  const uniques = indexes
    .filter(({ unique }) => unique)
    .map(({ name, columns }) => [name, json(columns.map((column) => propertyOf.get(column) ?? column))] as const);
  const table: Source = {
    open: true,
    entries: [
      ["name", json(entity.plural.snake)],
      ["columns", { entries: columns, open: true }],
      ["uniques", { entries: uniques, open: true }],
    ],
  };
  return `${HEADER}import type * as table from "./table.js";

${print(table, `export const ${entity.name.camel}Table: table.Table = `, ";")}
`;
}

export function repositoriesFile(entities: readonly EntityModel[], database: Database): string {
  const imports = [...entities]
    .sort((a, b) => (a.name.kebab < b.name.kebab ? -1 : 1))
    .map(({ name }) => [`./${name.kebab}-repository.js`, `${database}${name.pascal}Repository`] as const);
  const local = [
    ...imports.map(([path, name]) => importOf([name], path)),
    importOf(["Tables"], "./queries.js", true),
  ].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  return `${HEADER}import type { Kysely } from "kysely";
import type { Repositories } from "../../../application/use-cases/use-cases.generated.js";
${local.join("")}
export function repositoriesIn(database: Kysely<Tables>): Repositories {
  return {
${entities.map(({ name }) => `    ${name.camel}: ${database}${name.pascal}Repository(database),\n`).join("")}  };
}
`;
}

const pathOf = (line: string): string => line.slice(line.indexOf('"./'));
