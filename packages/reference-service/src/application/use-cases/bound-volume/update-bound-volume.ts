/** Yours: how BoundVolume changes. */
import type * as domain from "../../../domain/bound-volume/bound-volume.generated.js";
import { checkBoundVolumePatch } from "../../../domain/bound-volume/bound-volume.generated.js";
import { brokenRules } from "../../../domain/bound-volume/bound-volume.js";
import { accept, refuseIf } from "../../accept.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";
import * as revision from "../../revision.js";
import { timestamp } from "../../timestamp.js";

export type UpdateBoundVolume = (
  id: string,
  patch: domain.BoundVolumePatch,
  expectation?: revision.Expectation,
) => Promise<domain.BoundVolume>;

/** Whatever its type says, the patch is checked: it may come from a stranger. */
export function updateBoundVolume(needed: dependencies.Dependencies<BoundVolumeRepository>): UpdateBoundVolume {
  const { repository, clock } = needed;
  return (id, patch, expectation = {}) =>
    revision.changeOrRefuse(repository, id, expectation, (current) => {
      const values = accept(checkBoundVolumePatch(current, patch));
      refuseIf(brokenRules(values));
      return { ...current, ...values, revision: current.revision + 1, updatedAt: timestamp(clock) };
    });
}
