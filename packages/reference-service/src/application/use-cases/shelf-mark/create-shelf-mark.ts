/** Yours: how ShelfMark comes to be. */
import { beforeCreate, brokenRules } from "../../../domain/shelf-mark/shelf-mark.js";
import {
  type ShelfMark,
  checkNewShelfMark,
  type NewShelfMark,
} from "../../../domain/shelf-mark/shelf-mark.generated.js";
import { accept, refuseIf } from "../../accept.js";
import { timestamp } from "../../ports/clock.js";
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";

export type CreateShelfMark = (input: NewShelfMark) => Promise<ShelfMark>;

/** Whatever its type says, the input is checked: it may come from a stranger. */
export function createShelfMark({ repository, clock, newId }: dependencies.Dependencies<ShelfMarkRepository>): CreateShelfMark {
  return async (input) => {
    const values = beforeCreate(accept(checkNewShelfMark(input)));
    refuseIf(brokenRules(values));
    const now = timestamp(clock);
    const created = { ...values, id: newId(), revision: 1, createdAt: now, updatedAt: now };
    await repository.insert(created);
    return created;
  };
}
