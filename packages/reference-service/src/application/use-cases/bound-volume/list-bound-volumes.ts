/** Yours: how BoundVolume is listed, oldest first. */
import type { BoundVolume } from "../../../domain/bound-volume/bound-volume.generated.js";
import type * as ports from "../../ports/repository.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";

export type ListBoundVolumes = (request: ports.PageRequest) => Promise<ports.Page<BoundVolume>>;

export function listBoundVolumes({ repository }: dependencies.Dependencies<BoundVolumeRepository>): ListBoundVolumes {
  return (request) => repository.page(request);
}
