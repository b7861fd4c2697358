/** Yours: how one BoundVolume is read. */
import type { BoundVolume } from "../../../domain/bound-volume/bound-volume.generated.js";
import { findOrRefuse } from "../../revision.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";

export type GetBoundVolume = (id: string) => Promise<BoundVolume>;

export function getBoundVolume({ repository }: dependencies.Dependencies<BoundVolumeRepository>): GetBoundVolume {
  return (id) => findOrRefuse(repository, id);
}
