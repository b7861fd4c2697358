import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { checkInterleaved } from "../../simulation/sessions/interleaved-sessions.test.support.js";
import { SessionTally } from "../../simulation/sessions/session-tally.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createSqliteSessionStore } from "./session-store.js";

/** Fewer than elsewhere: each change goes to the disk. */
const SEEDS = Number(process.env.LINEARIZABLE_SEEDS ?? 40);

it("concurrent calls on three instances are explained by some order of them, in every seed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "linearizable-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const clock = createManualClock();
  const stores = [1, 2, 3].map(() => createSqliteSessionStore({ file: join(folder, "test.db"), clock }));
  onTestFinished(() => Promise.all(stores.map((store) => store.close())).then(() => {}));
  for (const store of stores) await store.open();
  const tally = new SessionTally();
  for (let seed = 1; seed <= SEEDS; seed += 1) tally.add(await checkInterleaved(seed, stores, clock));
  expect(tally.missing(SEEDS / 20)).toEqual([]);
}, 120_000);
