/** Yours: how BoundVolume changes. */
import { brokenRules } from "../../../domain/bound-volume/bound-volume.js";
import {
  type BoundVolume,
  type BoundVolumePatch,
  checkBoundVolumePatch,
} from "../../../domain/bound-volume/bound-volume.generated.js";
import { accept, refuseIf } from "../../accept.js";
import { timestamp } from "../../ports/clock.js";
import * as revision from "../../revision.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";

export type UpdateBoundVolume = (
  id: string,
  patch: BoundVolumePatch,
  expectation?: revision.Expectation,
) => Promise<BoundVolume>;

/** Whatever its type says, the patch is checked: it may come from a stranger. */
export function updateBoundVolume({ repository, clock }: dependencies.Dependencies<BoundVolumeRepository>): UpdateBoundVolume {
  return (id, patch, expectation = {}) =>
    revision.changeOrRefuse(repository, id, expectation, (current) => {
      const values = accept(checkBoundVolumePatch(current, patch));
      refuseIf(brokenRules(values));
      return { ...current, ...values, revision: current.revision + 1, updatedAt: timestamp(clock) };
    });
}
