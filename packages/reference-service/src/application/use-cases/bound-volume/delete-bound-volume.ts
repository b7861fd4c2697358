/** Yours: how BoundVolume is deleted. */
import * as revision from "../../revision.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";

export type DeleteBoundVolume = (id: string, expectation?: revision.Expectation) => Promise<void>;

export function deleteBoundVolume({ repository }: dependencies.Dependencies<BoundVolumeRepository>): DeleteBoundVolume {
  return (id, expectation = {}) => revision.removeOrRefuse(repository, id, expectation);
}
