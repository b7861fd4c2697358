import { createManualClock } from "../../testing/manual-clock.js";
import { type RunStoreUnderTest, runStoreContract } from "../../testing/run-store-contract.js";
import { createMemoryRunStore } from "./run-store.js";
import { createMemoryWorld } from "./world.js";

async function open(workers: "one" | "many"): Promise<RunStoreUnderTest> {
  const clock = createManualClock();
  const world = createMemoryWorld();
  const reopen = async () => {
    const store = createMemoryRunStore({ clock, world, workers });
    await store.open();
    return store;
  };
  return { store: await reopen(), advance: clock.advance, reopen, close: async () => undefined };
}

runStoreContract("memory, one worker", { open: () => open("one"), singleWorker: true });
runStoreContract("memory, many workers", { open: () => open("many"), singleWorker: false });
