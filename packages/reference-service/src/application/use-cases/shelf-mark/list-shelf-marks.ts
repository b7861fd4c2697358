/** Yours: how ShelfMark is listed, oldest first. */
import type { ShelfMark } from "../../../domain/shelf-mark/shelf-mark.generated.js";
import type * as ports from "../../ports/repository.js";
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";

export type ListShelfMarks = (request: ports.PageRequest) => Promise<ports.Page<ShelfMark>>;

export function listShelfMarks({ repository }: dependencies.Dependencies<ShelfMarkRepository>): ListShelfMarks {
  return (request) => repository.page(request);
}
