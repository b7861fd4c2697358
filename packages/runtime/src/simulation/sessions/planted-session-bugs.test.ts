import { describe, expect, it } from "vitest";
import { createMemorySessionStore } from "../../stores/memory/session-store.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { checkInterleaved } from "./interleaved-sessions.test.support.js";
import { plantedSessionBugs } from "./planted-session-bugs.js";

const SEEDS = 100;

describe("the check of session stores finds", () => {
  it.each(Object.entries(plantedSessionBugs))("%s", async (_name, bug) => {
    const found: string[] = [];
    for (let seed = 1; seed <= SEEDS && found.length === 0; seed += 1) {
      const clock = createManualClock();
      const store = createMemorySessionStore({ clock });
      await store.open();
      await checkInterleaved(seed, [store, store], clock, bug).catch((error: Error) => found.push(error.message));
    }
    expect(found[0]).toContain("no order of these calls explains");
  });
});
