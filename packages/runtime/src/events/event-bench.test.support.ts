import type { EventMessage } from "../broker/event-message.js";
import type { Logger } from "../log.js";
import { systemPorts } from "../ports.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import type { EventStore } from "../store/event-store.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { createManualClock } from "../testing/manual-clock.js";
import { cloudEvent, eventMessage } from "./cloud-event.js";
import { FaultyBrokerServer } from "./faulty-broker.test.support.js";
import { createRelay, type RelayOptions } from "./relay.js";

/** What is under way goes on. */
function turn(): Promise<void> {
  return new Promise((resolve) => void systemPorts.clock.soon(resolve));
}

/** One database and one broker in memory, by a clock that stands until it is moved. */
export async function eventBench() {
  const clock = createManualClock();
  const random = new SeededRandom(1);
  const ports = { clock, random };
  const world = createMemoryWorld();
  const server = new FaultyBrokerServer(clock, random);
  const logged: { level: string; facts: object; message: string }[] = [];
  const log = (level: string) => (facts: object, message: string) => void logged.push({ level, facts, message });
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };

  /** A store as another process has it. */
  const openStore = async () => {
    const store = createMemoryRunStore({ clock, world, workers: "many" });
    await store.open();
    if (store.events === undefined) throw new Error("expected a store with events");
    return { store, events: store.events, now: () => store.now() };
  };
  const { store, events, now } = await openStore();
  /** Lets what is under way come to rest, without time passing. */
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 10; n += 1) await turn();
  };
  const pass = async (ms: number, stepMs = 100): Promise<void> => {
    await settle();
    for (let left = ms; left > 0; left -= stepMs) {
      clock.advance(Math.min(stepMs, left));
      await turn();
      await turn();
    }
    await settle();
  };
  const relay = (options: Partial<RelayOptions> = {}) =>
    createRelay({ store: events, broker: server.connect(), now, ports, logger, ...options });
  return { clock, random, ports, world, server, logged, logger, store, events, now, openStore, settle, pass, relay };
}

/** One about an order, under the number's id. */
export function event(n: number, order = "order-1", type = "shop.order.placed"): EventMessage {
  return eventMessage(cloudEvent({ id: `event-${n}`, source: "/shop", type, subject: order, data: { n } }));
}

export function events(from: number, to: number, order?: string): EventMessage[] {
  return Array.from({ length: to - from + 1 }, (_, at) => event(from + at, order));
}

/** A store of which calls can be made to fail. */
export function intercepted(store: EventStore, intercept: Partial<EventStore>): EventStore {
  return { ...store, ...intercept };
}
