/** Yours: how one ShelfMark is read. */
import type * as domain from "../../../domain/shelf-mark/shelf-mark.generated.js";
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";
import { findOrRefuse } from "../../revision.js";

export type GetShelfMark = (id: string) => Promise<domain.ShelfMark>;

export function getShelfMark(needed: dependencies.Dependencies<ShelfMarkRepository>): GetShelfMark {
  return (id) => findOrRefuse(needed.repository, id);
}
