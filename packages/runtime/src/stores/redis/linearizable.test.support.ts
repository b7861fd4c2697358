import { expect } from "vitest";
import { systemPorts } from "../../ports.js";
import { checkSessions } from "../../simulation/sessions/check-sessions.js";
import type { Pause } from "../../simulation/sessions/session-clients.js";
import { SessionTally } from "../../simulation/sessions/session-tally.js";
import type { SessionStore } from "../../store/session-store.js";
import { answers, until } from "./until.test.support.js";

/** `LINEARIZABLE_SEEDS=5000 npx vitest run linearizable` tries more. */
export const SEEDS = Number(process.env.LINEARIZABLE_SEEDS ?? 200);

/** Seeds whose clients run side by side. */
const AT_ONCE = 20;

/** A few turns of the event loop, so that commands leave in ever other company. */
const turns: Pause = async (random) => {
  for (let left = random.below(4); left > 0; left -= 1) await turn();
};

function turn(): Promise<void> {
  return new Promise((resolve) => void systemPorts.clock.soon(resolve));
}

/** As `turns`, and not while the store does not answer: a call that fails at once tells nothing. */
export const whenItAnswers: Pause = async (random, store) => {
  await turns(random, store);
  await until(() => answers(store));
};

/** All seeds, so many side by side; the stores are the same for all. `around` runs beside each lot until it is done. */
export async function checkSeeds(options: {
  readonly count: number;
  readonly stores: readonly SessionStore[];
  readonly pause?: Pause;
  readonly time?: { now(): number; advance(ms: number): void | Promise<void> };
  readonly calls?: number;
  readonly beside?: (seeds: readonly number[], done: AbortSignal) => Promise<void>;
}): Promise<SessionTally> {
  const { count, stores, pause = turns, time, calls, beside } = options;
  const tally = new SessionTally();
  for (let first = 1; first <= count; first += AT_ONCE) {
    const seeds = Array.from({ length: Math.min(AT_ONCE, count - first + 1) }, (_, n) => first + n);
    const done = new AbortController();
    const running = checkSessions({
      ...{ seeds, stores, pause },
      ...(time !== undefined && { time }),
      ...(calls !== undefined && { calls }),
    }).finally(() => done.abort());
    const [report] = await Promise.all([running, beside?.(seeds, done.signal)]);
    tally.add(report);
  }
  expect(tally.overlapping).toBeGreaterThan(tally.operations / 5);
  return tally;
}
