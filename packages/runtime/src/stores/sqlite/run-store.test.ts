import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunStore } from "../../store/run-store.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { type RunStoreUnderTest, runStoreContract } from "../../testing/run-store-contract.js";
import { createSqliteRunStore } from "./run-store.js";

async function open(): Promise<RunStoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "clean-arch-runs-"));
  const clock = createManualClock();
  const stores: RunStore[] = [];
  const reopen = async () => {
    const store = createSqliteRunStore({ file: join(folder, "runs.db"), clock });
    stores.push(store);
    await store.open();
    return store;
  };
  const close = async () => {
    await Promise.all(stores.map((store) => store.close()));
    await rm(folder, { recursive: true });
  };
  return { store: await reopen(), advance: clock.advance, reopen, close };
}

runStoreContract("sqlite", { open, singleWorker: true });
