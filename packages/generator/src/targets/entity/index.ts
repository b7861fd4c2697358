/**
 * Entities: domain, use cases, port, repository, routes and the first migration of each, and the code they share. What
 * migrations need is there in every service, because `make migrate-up` is.
 */
import type { EntityModel, Model } from "../../model.js";
import type { Template } from "../../template.js";
import type { Owner, TargetFile } from "../target-file.js";
import { copyFor, SAMPLE } from "./copies.js";
import { crudTestFile } from "./crud-test.js";
import { domainFile } from "./domain.js";
import { type Database, downMigration, upMigration } from "./migrations.js";
import { entitiesFile, entityRoutesFile } from "./routes.js";
import { seedFiles } from "./seeds.js";
import { ENTITY_FILES, MIGRATION_FILES } from "./shared.js";
import { indexesOf } from "./sql-names.js";
import { repositoriesFile, tableFile } from "./table.js";
import { entityUseCasesFile, useCaseName, useCasesFile } from "./use-cases.js";

export function renderEntityFiles(model: Model, template: Template): TargetFile[] {
  const { entities } = model;
  const files = [
    file("generated", "src/application/use-cases/use-cases.generated.ts", useCasesFile(entities)),
    ...MIGRATION_FILES.map((path) => copy(template, path)),
  ];
  if (entities.length === 0) return files;
  const databases: readonly Database[] = ["sqlite", "postgres"];
  const indexes = indexesOf(entities);
  return [
    ...files,
    ...ENTITY_FILES.map((path) => copy(template, path)),
    ...databases.flatMap((database) => [
      file("once", `migrations/${database}/0001_create_tables.up.sql`, upMigration(entities, database)),
      file("once", `migrations/${database}/0001_create_tables.down.sql`, downMigration(entities, database)),
      file("generated", `${persistence}/${database}/repositories.generated.ts`, repositoriesFile(entities, database)),
    ]),
    ...seedFiles(entities, template),
    file("generated", "src/interfaces/http/entities.generated.ts", entitiesFile(entities)),
    ...entities.flatMap((entity) => {
      const { kebab } = entity.name;
      const table = tableFile(entity, entities, indexes.get(entity.name.pascal) ?? []);
      return [
        ...filesByName(entity, template),
        file("generated", `src/domain/${kebab}/${kebab}.generated.ts`, domainFile(entity)),
        file("generated", useCasesPath(kebab), entityUseCasesFile(entity)),
        file("generated", `${persistence}/${kebab}-table.generated.ts`, table),
        file("generated", `src/interfaces/http/${kebab}-routes.generated.ts`, entityRoutesFile(entity)),
        file("once", `tests/integration/${kebab}-crud.test.ts`, crudTestFile(entity, entities)),
      ];
    }),
  ];
}

const persistence = "src/infrastructure/persistence";
const useCasesPath = (kebab: string): string => `src/application/use-cases/${kebab}/${kebab}-use-cases.generated.ts`;

/** What is the user's from the first time on. */
function filesByName(entity: EntityModel, template: Template): TargetFile[] {
  const sample = SAMPLE.name.kebab;
  const useCases = entity.useCases.map((useCase) => useCaseName({ ...entity, ...SAMPLE }, useCase, "kebab"));
  const paths = [
    `src/domain/${sample}/${sample}.ts`,
    `src/application/ports/${sample}-repository.ts`,
    `${persistence}/sqlite/${sample}-repository.ts`,
    `${persistence}/postgres/${sample}-repository.ts`,
    ...useCases.map((name) => `src/application/use-cases/${sample}/${name}.ts`),
  ];
  return paths.map((path) => {
    const copied = copyFor(entity, template, path);
    return file("once", copied.path, copied.content);
  });
}

function copy(template: Template, path: string): TargetFile {
  const content = template.files.get(path);
  if (content === undefined) throw new Error(`the template lacks ${path}`);
  return file("merged", path, content);
}

function file(owner: Owner, path: string, content: string): TargetFile {
  return { path, owner, content };
}
