/**
 * Made-up entities of one kind, for tests and trials. Each goes through the use case that creates it, so it is one that the service
 * could have: what is new is only that many are inserted together, and that nobody is told of them.
 */
import type { Repository } from "../../application/ports/repository.js";
import type { Field, Identified } from "../../domain/fields.js";
import type { TableFill } from "../persistence/fill-table.js";
import { columnsOf, type Table } from "../persistence/table.js";
import { type PatternSample, sampleValue } from "./sample-values.js";

export interface SeededEntity {
  /** As the command takes it: in snake case. */
  readonly name: string;
  readonly table: Table;
  readonly fields: Readonly<Record<string, Field>>;
  /** By property: texts for fields with a pattern. */
  readonly samples: Readonly<Record<string, PatternSample>>;
  readonly repository: Pick<Repository<Identified>, "count">;
  /** The use case that creates one, with `insert` in the place of the repository's. */
  creates(insert: (entity: Identified) => Promise<void>): (input: never) => Promise<Identified>;
}

export interface Seeding {
  readonly count: number;
  /** Values that all of them have, by property. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly fill: TableFill;
  /** Ids of entities in another table, some of them; none: it is empty. */
  idsIn(table: string): Promise<readonly string[]>;
  /** Told now and then how many are there. */
  said(done: number): void;
}

/** What is wrong with the wish, and what to do. */
export class SeedError extends Error {
  override readonly name = "SeedError";
}

const SAY_EVERY = 100_000;

/**
 * Inserts `count` of them, in statements of as many as one takes; memory holds those of one. Throws a `SeedError`, or a `Refusal` of
 * the use case or of the database: what was inserted before stays.
 */
export async function seedEntity(entity: SeededEntity, { count, set, fill, idsIn, said }: Seeding): Promise<void> {
  const pending: Identified[] = [];
  const create = entity.creates(async (created) => void pending.push(created)) as (input: unknown) => Promise<unknown>;
  const inputOf = await inputs(entity, set, idsIn);
  const flush = async (): Promise<void> => {
    if (pending.length > 0) await fill.insert(pending);
    pending.length = 0;
  };
  for (let done = 1; done <= count; done += 1) {
    await create(inputOf());
    if (pending.length >= fill.rows) await flush();
    if (done % SAY_EVERY === 0) said(done);
  }
  await flush();
}

/** Counts on from those that are there, so that what has to be unique is. */
async function inputs(
  { name, table, fields, samples, repository }: SeededEntity,
  set: Seeding["set"],
  idsIn: Seeding["idsIn"],
): Promise<() => Record<string, unknown>> {
  const ids = new Map<string, readonly string[]>();
  for (const [property, { references }] of columnsOf(table)) {
    if (references === undefined || Object.hasOwn(set, property) || fields[property]?.required !== true) continue;
    const found = await idsIn(references);
    if (found.length === 0) {
      throw new SeedError(`expected something in ${references} that a ${name} can refer to, got none; seed it first`);
    }
    ids.set(property, found);
  }
  const isUnique = new Set(Object.values(table.uniques).flat());
  let n = await repository.count();
  return () => {
    const input: Record<string, unknown> = {};
    for (const [property, field] of Object.entries(fields)) {
      const known = ids.get(property);
      if (known !== undefined) input[property] = known[n % known.length];
      // What a new one has by itself is left to it.
      else if (field.default !== undefined && !isUnique.has(property)) continue;
      else input[property] = sampleValue(property, field, n, samples[property]);
      if (input[property] === undefined) delete input[property];
    }
    n += 1;
    return Object.assign(input, set);
  };
}
