/**
 * What a use case asks of the place where entities are kept. Every call is one atomic change of one entity. What the
 * data forbids is thrown as a `Refusal`: `unique-violation`, `reference-missing`, `still-referenced`.
 */
import type { Identified } from "../../domain/fields.js";

export interface Repository<Entity extends Identified> {
  insert(entity: Entity): Promise<void>;
  /** Null when there is none. */
  find(id: string): Promise<Entity | null>;
  /** Oldest first. */
  page(request: PageRequest): Promise<Page<Entity>>;
  /** How many there are. */
  count(where?: Conditions): Promise<number>;
  /** Replaces all fields if the stored revision is `expected`. False: it moved, or the entity is gone. */
  replace(entity: Entity, expected: number): Promise<boolean>;
  /** Deletes if the stored revision is `expected` (null: any). False: it moved, or the entity is gone. */
  remove(id: string, expected: number | null): Promise<boolean>;
}

export interface PageRequest {
  /** 1 or more. */
  readonly limit: number;
  /** The id after which the page begins; null: the first page. The entity of that id may be gone. */
  readonly after: string | null;
  /** The last id that belongs to it. Default: none. */
  readonly until?: string | null;
  /** Default: all. */
  readonly where?: Conditions;
}

/** Values that fields have, by property; null: not set. */
export type Conditions = Readonly<Record<string, unknown>>;

export interface Page<Entity> {
  readonly items: readonly Entity[];
  /** Where the next page begins; null: this is the last one. */
  readonly next: string | null;
}
