/** Yours: add the queries that the use cases of BoundVolume need. */
import type { BoundVolume } from "../../domain/bound-volume/bound-volume.generated.js";
import type * as ports from "./repository.js";

export interface BoundVolumeRepository extends ports.Repository<BoundVolume> {}
