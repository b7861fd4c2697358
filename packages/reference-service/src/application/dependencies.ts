import type { Clock } from "./ports/clock.js";

/** What the use cases of an entity are built from. */
export interface Dependencies<Repository> {
  readonly repository: Repository;
  readonly clock: Clock;
  /** A new UUIDv7, greater than every one this process made before. */
  readonly newId: () => string;
}
