/** Yours: how ShelfMark is deleted. */
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";
import * as revision from "../../revision.js";

export type DeleteShelfMark = (id: string, expectation?: revision.Expectation) => Promise<void>;

export function deleteShelfMark(needed: dependencies.Dependencies<ShelfMarkRepository>): DeleteShelfMark {
  return (id, expectation = {}) => revision.removeOrRefuse(needed.repository, id, expectation);
}
