import { setTimeout as delay } from "node:timers/promises";

/** Says what is still missing; null: nothing. What it throws is missing, too. The signal ends what hangs. */
export type Look = (signal: AbortSignal) => Promise<string | null>;

const WITHIN_MS = 30_000;
const PAUSE_MS = 10;

/** Looks again and again until nothing is missing; after half a minute it throws what was expected and what the last look gave. */
export async function waitUntil(expected: string, look: Look): Promise<void> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  let got = "no answer";
  while (!signal.aborted) {
    try {
      const missing = await look(signal);
      if (missing === null) return;
      got = missing;
    } catch (error) {
      // The look that the deadline broke off knows less than the one before.
      if (!signal.aborted) got = error instanceof Error ? error.message : String(error);
    }
    await delay(PAUSE_MS);
  }
  throw new Error(`expected ${expected} within ${WITHIN_MS} ms, got ${got}`);
}
