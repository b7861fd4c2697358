import { type Clock, systemPorts } from "../../ports.js";
import { createManualClock } from "../../testing/manual-clock.js";
import type { EffectsUnderTest, RunStoreUnderTest } from "../../testing/run-store-contract.js";
import { createMemoryRunStore } from "./run-store.js";
import type { MemoryClient } from "./transaction.js";
import { createMemoryWorld } from "./world.js";

export function open(workers: "one" | "many"): Promise<RunStoreUnderTest> {
  const clock = createManualClock();
  return openAt(clock, clock.advance, workers);
}

/** As a store does that follows a server's clock: time goes on by itself, here at every look, and `advance` is an offset to it. */
export function openMoving(): Promise<RunStoreUnderTest> {
  let nowMs = systemPorts.clock.now();
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  const now = (): number => {
    advance(1);
    return nowMs;
  };
  return openAt({ ...systemPorts.clock, now }, advance, "many");
}

async function openAt(
  clock: Clock,
  advance: RunStoreUnderTest["advance"],
  workers: "one" | "many",
): Promise<RunStoreUnderTest> {
  const world = createMemoryWorld();
  const reopen = async () => {
    const store = createMemoryRunStore({ clock, world, workers });
    await store.open();
    return store;
  };
  const effects: EffectsUnderTest = {
    write: (client, name) => (client as MemoryClient).set(name, true),
    committed: async () => [...world.values.keys()].sort(),
  };
  return { store: await reopen(), advance, reopen, effects, close: async () => undefined };
}
