/** Files that every service with entities has, as they are in the reference service. */
export const MIGRATION_FILES = [
  "src/infrastructure/persistence/migrations.ts",
  "src/infrastructure/persistence/prepare.ts",
  "src/infrastructure/persistence/sqlite/database.ts",
  "src/migrate.ts",
  "tests/integration/migrations.test.ts",
] as const;

export const ENTITY_FILES = [
  "src/application/accept.ts",
  "src/application/dependencies.ts",
  "src/application/entity.ts",
  "src/application/ports/clock.ts",
  "src/application/ports/repository.ts",
  "src/application/revision.ts",
  "src/domain/check.ts",
  "src/domain/decimal.ts",
  "src/domain/fields.ts",
  "src/domain/json.ts",
  "src/domain/values.ts",
  "src/infrastructure/persistence/sqlite/column-values.ts",
  "src/infrastructure/persistence/sqlite/constraints.ts",
  "src/infrastructure/persistence/sqlite/queries.ts",
  "src/infrastructure/persistence/sqlite/table-backed.ts",
  "src/infrastructure/persistence/table.ts",
  "src/infrastructure/persistence/uuid-v7.ts",
  "src/interfaces/http/crud-routes.ts",
  "src/interfaces/http/cursor.ts",
  "src/interfaces/http/field-schemas.ts",
  "src/interfaces/http/revision-header.ts",
  "tests/unit/decimal.test.ts",
  "tests/unit/fields.test.ts",
] as const;
