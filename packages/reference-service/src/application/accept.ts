import type { Checked, Violation } from "../domain/fields.js";
import { Refusal } from "./errors.js";

/** The checked values, or a `Refusal` that names everything that does not fit. */
export function accept<Values>(checked: Checked<Values>): Values {
  if (checked.violations !== undefined) refuseIf(checked.violations);
  return checked.values as Values;
}

/** Throws a `Refusal` unless there is nothing to complain about. */
export function refuseIf(violations: readonly Violation[]): void {
  if (violations.length > 0) throw new Refusal("validation-failed", "The values do not fit.", violations);
}
