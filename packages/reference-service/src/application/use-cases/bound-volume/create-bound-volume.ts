/** Yours: how BoundVolume comes to be. */
import type * as domain from "../../../domain/bound-volume/bound-volume.generated.js";
import { checkNewBoundVolume } from "../../../domain/bound-volume/bound-volume.generated.js";
import { beforeCreate, brokenRules } from "../../../domain/bound-volume/bound-volume.js";
import { accept, refuseIf } from "../../accept.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";
import { timestamp } from "../../timestamp.js";

export type CreateBoundVolume = (input: domain.NewBoundVolume) => Promise<domain.BoundVolume>;

/** Whatever its type says, the input is checked: it may come from a stranger. */
export function createBoundVolume(needed: dependencies.Dependencies<BoundVolumeRepository>): CreateBoundVolume {
  const { repository, clock, newId } = needed;
  return async (input) => {
    const values = beforeCreate(accept(checkNewBoundVolume(input)));
    refuseIf(brokenRules(values));
    const now = timestamp(clock);
    const created = { ...values, id: newId(), revision: 1, createdAt: now, updatedAt: now };
    await repository.insert(created);
    return created;
  };
}
