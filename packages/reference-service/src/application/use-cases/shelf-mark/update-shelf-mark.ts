/** Yours: how ShelfMark changes. */
import type * as domain from "../../../domain/shelf-mark/shelf-mark.generated.js";
import { checkShelfMarkPatch } from "../../../domain/shelf-mark/shelf-mark.generated.js";
import { brokenRules } from "../../../domain/shelf-mark/shelf-mark.js";
import { accept, refuseIf } from "../../accept.js";
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";
import * as revision from "../../revision.js";
import { timestamp } from "../../timestamp.js";

export type UpdateShelfMark = (
  id: string,
  patch: domain.ShelfMarkPatch,
  expectation?: revision.Expectation,
) => Promise<domain.ShelfMark>;

/** Whatever its type says, the patch is checked: it may come from a stranger. */
export function updateShelfMark(needed: dependencies.Dependencies<ShelfMarkRepository>): UpdateShelfMark {
  const { repository, clock } = needed;
  return (id, patch, expectation = {}) =>
    revision.changeOrRefuse(repository, id, expectation, (current) => {
      const values = accept(checkShelfMarkPatch(current, patch));
      refuseIf(brokenRules(values));
      return { ...current, ...values, revision: current.revision + 1, updatedAt: timestamp(clock) };
    });
}
