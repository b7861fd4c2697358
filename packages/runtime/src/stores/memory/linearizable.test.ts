import { expect, it } from "vitest";
import { checkInterleaved } from "../../simulation/sessions/interleaved-sessions.test.support.js";
import { SessionTally } from "../../simulation/sessions/session-tally.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createMemorySessionStore } from "./session-store.js";

const SEEDS = Number(process.env.LINEARIZABLE_SEEDS ?? 200);

it("concurrent calls are explained by some order of them, in every seed", async () => {
  const tally = new SessionTally();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const clock = createManualClock();
    const store = createMemorySessionStore({ clock });
    await store.open();
    tally.add(await checkInterleaved(seed, [store, store], clock));
  }
  // Clients who meet nothing test nothing.
  expect(tally.missing(SEEDS / 20)).toEqual([]);
}, 120_000);
