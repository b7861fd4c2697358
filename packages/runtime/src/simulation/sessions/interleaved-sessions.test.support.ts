import type { SessionStore } from "../../store/session-store.js";
import { interceptSessionStore } from "../../testing/intercept-session-store.test.support.js";
import { Interleaving } from "../../testing/interleaving.test.support.js";
import { checkSessions, type SessionCheckOptions, type SessionCheckReport } from "./check-sessions.js";
import { type PlantedSessionBug, plant } from "./planted-session-bugs.js";

/**
 * One seed over instances whose calls take no time of their own: they get some on the way in and out, so that others come
 * between, in an order drawn from the seed.
 */
export async function checkInterleaved(
  seed: number,
  stores: readonly SessionStore[],
  time: NonNullable<SessionCheckOptions["time"]>,
  bug?: PlantedSessionBug,
): Promise<SessionCheckReport> {
  const interleaving = new Interleaving(seed);
  const wait = (): Promise<void> => interleaving.step();
  const checked = stores.map((store) => {
    const slow = interceptSessionStore(store, async (_method, call) => {
      await wait();
      const answer = await call();
      await wait();
      return answer;
    });
    return bug === undefined ? slow : plant(bug, slow, wait, interleaving.random);
  });
  const [result] = await interleaving.run([checkSessions({ seeds: [seed], stores: checked, pause: wait, time })]);
  if (result?.status !== "fulfilled") throw result?.reason;
  return result.value;
}
