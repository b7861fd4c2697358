/** Yours: how ShelfMark is deleted. */
import * as revision from "../../revision.js";
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";

export type DeleteShelfMark = (id: string, expectation?: revision.Expectation) => Promise<void>;

export function deleteShelfMark({ repository }: dependencies.Dependencies<ShelfMarkRepository>): DeleteShelfMark {
  return (id, expectation = {}) => revision.removeOrRefuse(repository, id, expectation);
}
