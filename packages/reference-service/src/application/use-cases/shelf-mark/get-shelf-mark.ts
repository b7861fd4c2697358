/** Yours: how one ShelfMark is read. */
import type { ShelfMark } from "../../../domain/shelf-mark/shelf-mark.generated.js";
import { findOrRefuse } from "../../revision.js";
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";

export type GetShelfMark = (id: string) => Promise<ShelfMark>;

export function getShelfMark({ repository }: dependencies.Dependencies<ShelfMarkRepository>): GetShelfMark {
  return (id) => findOrRefuse(repository, id);
}
