/** Yours: how BoundVolume comes to be. */
import { beforeCreate, brokenRules } from "../../../domain/bound-volume/bound-volume.js";
import {
  type BoundVolume,
  checkNewBoundVolume,
  type NewBoundVolume,
} from "../../../domain/bound-volume/bound-volume.generated.js";
import { accept, refuseIf } from "../../accept.js";
import { timestamp } from "../../ports/clock.js";
import type * as dependencies from "../../dependencies.js";
import type { BoundVolumeRepository } from "../../ports/bound-volume-repository.js";

export type CreateBoundVolume = (input: NewBoundVolume) => Promise<BoundVolume>;

/** Whatever its type says, the input is checked: it may come from a stranger. */
export function createBoundVolume({ repository, clock, newId }: dependencies.Dependencies<BoundVolumeRepository>): CreateBoundVolume {
  return async (input) => {
    const values = beforeCreate(accept(checkNewBoundVolume(input)));
    refuseIf(brokenRules(values));
    const now = timestamp(clock);
    const created = { ...values, id: newId(), revision: 1, createdAt: now, updatedAt: now };
    await repository.insert(created);
    return created;
  };
}
