/** Yours: how BoundVolume is listed, oldest first. */
import type * as domain from "../../../domain/bound-volume/bound-volume.generated.js";
import type * as dependencies from "../../dependencies.js";
import type * as entity from "../../entity.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";

export type ListBoundVolumes = (request: entity.PageRequest) => Promise<entity.Page<domain.BoundVolume>>;

export function listBoundVolumes(needed: dependencies.Dependencies<BoundVolumeRepository>): ListBoundVolumes {
  return (request) => needed.repository.page(request);
}
