import { checkEffects } from "./effects.js";
import { checkExactness } from "./exactness.js";
import { checkTakeovers, checkVerbs, type Journals, type Takeover } from "./journal.js";
import { checkOrder } from "./order.js";
import { checkOwners } from "./owners.js";
import type { Seen, Violation } from "./seen.js";
import { checkTold } from "./told.js";

export interface Evidence {
  readonly seen: Seen;
  /** For two things that cannot be seen from outside: that a verb was carried out once, and when a run changed hands. */
  readonly journals: Journals;
  readonly takeovers: readonly Takeover[];
  readonly takeoverBoundMs: number;
}

/** Everything that went wrong; empty: every promise was kept. */
export function judge({ seen, journals, takeovers, takeoverBoundMs }: Evidence): Violation[] {
  return [
    ...checkTold(seen),
    ...checkEffects(seen),
    ...checkOrder(seen),
    ...checkExactness(seen),
    ...checkOwners(seen),
    ...checkVerbs(seen, journals),
    ...checkTakeovers(takeovers, takeoverBoundMs),
  ];
}
