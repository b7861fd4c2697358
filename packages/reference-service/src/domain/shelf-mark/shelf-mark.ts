/** Yours: the rules of ShelfMark beyond its fields, and what happens to a new one before it is stored. */
import type * as fields from "../fields.js";
import type { ShelfMarkValues } from "./shelf-mark.generated.js";

/** Gets the checked values of a new one; what it returns is stored. */
export function beforeCreate(values: ShelfMarkValues): ShelfMarkValues {
  return values;
}

/** Rules over several fields, asked before every write. One violation for each broken rule; none lets it through. */
export function brokenRules(_values: ShelfMarkValues): readonly fields.Violation[] {
  return [];
}
