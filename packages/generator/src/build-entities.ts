/** The entities of the model: in the order of their creation, with their columns' bounds and defaults resolved. */
import type { EntityModel, FieldModel } from "./model.js";
import { namesOf, pluralOf } from "./naming.js";
import { plainNumber } from "./spec/rules/domain.js";
import type { EntityConfig, FieldConfig } from "./spec/schema.js";

export const buildEntities = (entities: readonly EntityConfig[]): EntityModel[] =>
  creationOrder(entities).map(buildEntity);

/** Entities after those they need to exist; the config's order otherwise. The rules have refused required cycles. */
function creationOrder(entities: readonly EntityConfig[]): EntityConfig[] {
  const ordered: EntityConfig[] = [];
  const visit = (entity: EntityConfig): void => {
    if (ordered.includes(entity)) return;
    const needed = entity.fields.filter((field) => field.type === "reference" && field.required);
    for (const { entity: target } of needed) {
      const found = entities.find((one) => one.name === target);
      if (found !== undefined) visit(found);
    }
    ordered.push(entity);
  };
  for (const entity of entities) visit(entity);
  return ordered;
}

function buildEntity(entity: EntityConfig): EntityModel {
  const plural = pluralOf(entity.name);
  return {
    name: namesOf(entity.name),
    plural,
    fields: entity.fields.map(buildField),
    indexes: entity.indexes.map(({ fields, unique }) => {
      const columns = fields.map((field) => namesOf(field).snake);
      return { name: `idx_${plural.snake}_${columns.join("_")}`, fields: columns, unique };
    }),
    useCases: entity.use_cases ?? ["create", "get", "list", "update", "delete"],
  };
}

function buildField(field: FieldConfig): FieldModel {
  const exact = field.type === "bigint" || field.type === "decimal";
  const number = (value: number | string | undefined): number | string | null => {
    if (value === undefined) return null;
    if (exact) return typeof value === "number" ? plainNumber(value) : value;
    return Number(value);
  };
  return {
    name: namesOf(field.name),
    type: field.type,
    required: field.required,
    unique: field.unique,
    default: exact && typeof field.default === "number" ? plainNumber(field.default) : field.default,
    min: number(field.min),
    max: number(field.max),
    minLength: field.min_length ?? null,
    maxLength: field.max_length ?? null,
    pattern: field.pattern ?? null,
    values: field.values ?? [],
    reference:
      field.entity === undefined ? null : { entity: namesOf(field.entity), onDelete: field.on_delete ?? "restrict" },
  };
}
