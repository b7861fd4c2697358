/**
 * What the application refuses with. A use case throws a `Refusal`; the runtime throws its own `RuntimeError`. Interfaces
 * translate both by their `code` and show nothing else of an error.
 */
export { RuntimeError } from "@clean-arch/runtime";

export type RefusalCode =
  | "not-found"
  | "validation-failed"
  | "unique-violation"
  | "reference-missing"
  | "still-referenced"
  | "revision-moved"
  | "cursor-invalid"
  | "event-failed"
  | "group-missing";

/** One value that does not fit: where it is (`shipping.city`, `items[2]`) and what was expected. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly violations: readonly Violation[];

  constructor(code: RefusalCode, message: string, violations: readonly Violation[] = []) {
    super(message);
    this.code = code;
    this.violations = violations;
  }
}
