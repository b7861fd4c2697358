/**
 * Names of indexes and constraints. They share one name space with the tables and PostgreSQL cuts what is longer than 63
 * bytes, so every name is shortened to fit and made unique here, the same way each time.
 */
import { createHash } from "node:crypto";
import type { EntityModel, FieldModel } from "../../model.js";

const MAX_LENGTH = 63;

export interface IndexName {
  readonly name: string;
  /** Columns, in order. */
  readonly columns: readonly string[];
  readonly unique: boolean;
}

/** By entity (its Pascal name): every index its table gets, the declared ones, unique fields and references. */
export function indexesOf(entities: readonly EntityModel[]): ReadonlyMap<string, readonly IndexName[]> {
  const taken = new Set(entities.map(({ plural }) => plural.snake));
  const claim = (wanted: string): string => {
    let name = shorten(wanted);
    for (let n = 2; taken.has(name); n += 1) name = shorten(`${wanted}_${n}`);
    taken.add(name);
    return name;
  };
  return new Map(entities.map((entity) => [entity.name.pascal, indexesOfOne(entity, claim)]));
}

function indexesOfOne(entity: EntityModel, claim: (wanted: string) => string): IndexName[] {
  const table = entity.plural.snake;
  const indexes: IndexName[] = [];
  const add = (wanted: string, columns: readonly string[], unique: boolean): void => {
    indexes.push({ name: claim(wanted), columns, unique });
  };
  for (const { name, unique } of entity.fields) if (unique) add(`uq_${table}_${name.snake}`, [name.snake], true);
  for (const { name, fields, unique } of entity.indexes) add(name, fields, unique);
  // Without an index, each delete of what is referred to reads this whole table.
  for (const { name, reference } of entity.fields) {
    const served = indexes.some(({ columns }) => columns[0] === name.snake);
    if (reference !== null && !served) add(`idx_${table}_${name.snake}`, [name.snake], false);
  }
  return indexes;
}

export function foreignKeyName(entity: EntityModel, field: FieldModel): string {
  return shorten(`fk_${entity.plural.snake}_${field.name.snake}`);
}

function shorten(name: string): string {
  if (name.length <= MAX_LENGTH) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, MAX_LENGTH - 9)}_${hash}`;
}
