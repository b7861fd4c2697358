import { RuntimeError } from "../errors.js";
import type { Logger } from "../log.js";
import { type Ports, sleep } from "../ports.js";

export interface StoreCallOptions {
  readonly ports: Ports;
  readonly logger: Logger;
  /** What is sent, for logs. */
  readonly what: string;
  /** False: the lease may be gone, and whoever has it goes on. */
  readonly mayGoOn: () => boolean;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

/**
 * Sends the same until the store answers: what it does is told by numbers and fences, so that once more is harmless. Throws
 * `store-unavailable` when there is nobody left to send for, and at once whatever else the store throws.
 */
export async function untilAnswered<Value>(call: () => Promise<Value>, options: StoreCallOptions): Promise<Value> {
  const { ports, logger, what, mayGoOn } = options;
  for (let failures = 0; ; failures++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RuntimeError && error.code === "store-unavailable") || !mayGoOn()) throw error;
      logger.warn({ failures, error: error.message }, `${what}: the store does not answer, trying again`);
      const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 10), MAX_RETRY_MS);
      await sleep(ports.clock, delayMs * (0.5 + ports.random.float() / 2));
      if (!mayGoOn()) throw error;
    }
  }
}
