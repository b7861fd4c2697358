/** Yours: how one BoundVolume is read. */
import type * as domain from "../../../domain/bound-volume/bound-volume.generated.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";
import { findOrRefuse } from "../../revision.js";

export type GetBoundVolume = (id: string) => Promise<domain.BoundVolume>;

export function getBoundVolume(needed: dependencies.Dependencies<BoundVolumeRepository>): GetBoundVolume {
  return (id) => findOrRefuse(needed.repository, id);
}
