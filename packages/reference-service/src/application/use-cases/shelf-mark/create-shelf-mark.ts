/** Yours: how ShelfMark comes to be. */
import type * as domain from "../../../domain/shelf-mark/shelf-mark.generated.js";
import { checkNewShelfMark } from "../../../domain/shelf-mark/shelf-mark.generated.js";
import { beforeCreate, brokenRules } from "../../../domain/shelf-mark/shelf-mark.js";
import { accept, refuseIf } from "../../accept.js";
import type * as dependencies from "../../dependencies.js";
import type { ShelfMarkRepository } from "../../ports/shelf-mark-repository.js";
import { timestamp } from "../../timestamp.js";

export type CreateShelfMark = (input: domain.NewShelfMark) => Promise<domain.ShelfMark>;

/** Whatever its type says, the input is checked: it may come from a stranger. */
export function createShelfMark(needed: dependencies.Dependencies<ShelfMarkRepository>): CreateShelfMark {
  const { repository, clock, newId } = needed;
  return async (input) => {
    const values = beforeCreate(accept(checkNewShelfMark(input)));
    refuseIf(brokenRules(values));
    const now = timestamp(clock);
    const created = { ...values, id: newId(), revision: 1, createdAt: now, updatedAt: now };
    await repository.insert(created);
    return created;
  };
}
