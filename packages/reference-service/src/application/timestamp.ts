import type { Clock } from "./ports/clock.js";

/** The moment as entities keep it: ISO 8601, UTC, milliseconds. */
export function timestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
