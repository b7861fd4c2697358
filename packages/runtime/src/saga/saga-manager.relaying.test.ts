import { expect, it, onTestFinished } from "vitest";
import { createLocalBroker } from "../brokers/local/index.js";
import { resolveConfig } from "../config.js";
import { createRelay } from "../events/relay.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { saga } from "./builder.js";
import { createSagaManager } from "./saga-manager.js";

/** A store and its events, open; the log of another one stands for a broker with a log of its own. */
function openStore() {
  const store = createMemoryRunStore({ world: createMemoryWorld() });
  if (store.events === undefined) throw new Error("expected a store that keeps events");
  return { store, events: store.events, now: () => store.now() };
}

it("leaves relaying to whoever gave the broker and says so", async () => {
  const service = openStore();
  const log = openStore();
  await log.store.open();
  const broker = createLocalBroker({ store: log.events, now: log.now });
  const manager = createSagaManager({
    ...{ store: service.store, participants: {}, config: resolveConfig({}), broker, relays: false },
    definitions: [
      saga("order", { style: "choreography" })
        .step("pay", { run: () => "paid" })
        .build(),
    ],
  });
  await manager.open();
  const relay = createRelay({ store: service.events, broker, now: service.now });
  onTestFinished(async () => {
    await relay.stop();
    await manager.close();
    await log.store.close();
  });
  const { id } = await manager.start("order", {});
  // Nobody reads the outbox, so nothing is waited for.
  expect(await service.events.groups()).toEqual([]);
  await relay.start();
  expect(await manager.wait(id, 10_000)).toMatchObject({ status: "completed" });
  expect((await service.events.groups()).map(({ group }) => group)).toEqual([relay.group]);
});
