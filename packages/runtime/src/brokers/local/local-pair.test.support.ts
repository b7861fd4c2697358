import type { EventStore } from "../../store/event-store.js";
import type { RunStore } from "../../store/run-store.js";
import type { BrokerUnderTest } from "../../testing/broker-contract.js";
import { createLocalBroker } from "./local-broker.js";

/** Two brokers over one database, each by a store of its own, both open. */
export async function openPair(
  openStore: () => Promise<RunStore>,
  remove: () => Promise<void>,
): Promise<BrokerUnderTest> {
  const stores = [await openStore(), await openStore()] as const;
  let isDead = false;
  const [broker, other] = stores.map((store) => {
    if (store.events === undefined) throw new Error("expected a store with events");
    const events = store === stores[1] ? mortal(store.events, () => isDead) : store.events;
    return createLocalBroker({ store: events, now: () => store.now(), pollMs: 50 });
  });
  if (broker === undefined || other === undefined) throw new Error("expected two brokers");
  await broker.open();
  await other.open();
  return {
    ...{ broker, other },
    async crashOther() {
      isDead = true;
    },
    async close() {
      await Promise.all([broker.close(), isDead ? undefined : other.close()]);
      for (const store of stores) await store.close();
      await remove();
    },
  };
}

/** A store whose calls neither happen nor return once the process is dead. */
function mortal(real: EventStore, isDead: () => boolean): EventStore {
  const alive = <Args extends unknown[], Value>(call: (...args: Args) => Promise<Value>) => {
    return (...args: Args): Promise<Value> => (isDead() ? new Promise<Value>(() => {}) : call(...args));
  };
  return {
    ...real,
    lease: alive(real.lease),
    release: alive(real.release),
    read: alive(real.read),
    advance: alive(real.advance),
  };
}
