/** Optimistic concurrency: a change names the revision it was made for, or takes the one it finds. */
import type { Identified } from "../domain/fields.js";
import { Refusal } from "./errors.js";
import type { Repository } from "./ports/repository.js";

/** How often a change without a named revision starts over when others are faster. */
const MAX_TRIES = 5;

export interface Expectation {
  /** The only revisions the change is meant for; undefined: whichever is there. */
  readonly revisions?: readonly number[] | undefined;
}

export async function findOrRefuse<Entity extends Identified>(
  repository: Repository<Entity>,
  id: string,
  { revisions }: Expectation = {},
): Promise<Entity> {
  const entity = await repository.find(id);
  if (entity === null) throw new Refusal("not-found", "There is none with this id.");
  if (revisions !== undefined && !revisions.includes(entity.revision)) throw moved(entity.revision);
  return entity;
}

/** Reads, changes and writes. `change` may run several times; what it throws ends it. */
export async function changeOrRefuse<Entity extends Identified>(
  repository: Repository<Entity>,
  id: string,
  expectation: Expectation,
  change: (current: Entity) => Entity,
): Promise<Entity> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const current = await findOrRefuse(repository, id, expectation);
    const changed = change(current);
    if (await repository.replace(changed, current.revision)) return changed;
  }
  throw moved();
}

export async function removeOrRefuse<Entity extends Identified>(
  repository: Repository<Entity>,
  id: string,
  expectation: Expectation,
): Promise<void> {
  // Without a named revision nothing has to be read: what is there goes.
  if (expectation.revisions === undefined && (await repository.remove(id, null))) return;
  const current = await findOrRefuse(repository, id, expectation);
  if (!(await repository.remove(id, current.revision))) throw moved();
}

function moved(revision?: number): Refusal {
  const now = revision === undefined ? "" : ` It is ${revision} now.`;
  return new Refusal("revision-moved", `The revision moved since it was read.${now} Read it again.`);
}
