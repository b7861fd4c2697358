/** Yours: how ShelfMark is listed, oldest first. */
import type * as domain from "../../../domain/shelf-mark/shelf-mark.generated.js";
import type * as dependencies from "../../dependencies.js";
import type * as entity from "../../entity.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";

export type ListShelfMarks = (request: entity.PageRequest) => Promise<entity.Page<domain.ShelfMark>>;

export function listShelfMarks(needed: dependencies.Dependencies<ShelfMarkRepository>): ListShelfMarks {
  return (request) => needed.repository.page(request);
}
