import type { Random } from "../ports.js";

export interface Backoff {
  /** Before the second attempt, ms. */
  readonly initialDelayMs: number;
  /** Cap of one delay, ms. */
  readonly maxDelayMs: number;
}

/** Exponential, from half to all of it as chance says: what failed together does not come again together, and none at once. */
export function retryDelayMs({ initialDelayMs, maxDelayMs }: Backoff, failures: number, random: Random): number {
  const delayMs = Math.min(initialDelayMs * 2 ** Math.min(Math.max(0, failures - 1), 40), maxDelayMs);
  return Math.ceil(delayMs * (0.5 + random.float() / 2));
}
