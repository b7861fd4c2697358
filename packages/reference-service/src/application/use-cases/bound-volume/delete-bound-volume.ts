/** Yours: how BoundVolume is deleted. */
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";
import * as revision from "../../revision.js";

export type DeleteBoundVolume = (id: string, expectation?: revision.Expectation) => Promise<void>;

export function deleteBoundVolume(needed: dependencies.Dependencies<BoundVolumeRepository>): DeleteBoundVolume {
  return (id, expectation = {}) => revision.removeOrRefuse(needed.repository, id, expectation);
}
