import type { Broker, Delivery, Subscriber, Subscription } from "../../broker/broker.js";
import type { EventMessage } from "../../broker/event-message.js";
import { sleep, systemPorts } from "../../ports.js";

/** Both are open, carry the same messages, and follow the system's clock. Nobody else uses what they keep messages in. */
export interface BrokerUnderTest {
  readonly broker: Broker;
  readonly other: Broker;
  /** `other` dies without a word: from here on nothing that it does arrives. Closing it afterwards may take a while. */
  crashOther(): Promise<void>;
  /** All messages are lost, as when somebody deletes what they are kept in. Without it the tests of that are skipped. */
  lose?(): Promise<void>;
  /** Closes both, also when they are closed, and removes what they kept. */
  close(): Promise<void>;
}

export interface World extends BrokerUnderTest {
  /** Ends the test as skipped. */
  skip(reason: string): never;
}

export type Test = (title: string, body: (world: World) => Promise<void>) => void;

/** In tests that wait for it. Long enough for a machine under load to say in time that it is there. */
export const SILENCE_MS = 600;

/** Its id alone is given in most tests; a key of its own. */
export function event(id: string, rest: Partial<EventMessage> = {}): EventMessage {
  return { id, subject: "order.created", key: id, body: `{"id":${JSON.stringify(id)}}`, ...rest };
}

/** Asks again and again: what is waited for happens elsewhere. The test's own deadline ends a wait in vain. */
export async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isTrue())) await sleep(systemPorts.clock, 5);
}

/** A door that handlers wait at. */
export function door() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A handler that ends with its signal. */
export function untilAborted({ signal }: Delivery): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

export interface Listener {
  readonly subscriber: Subscriber;
  /** All that came, in the order in which handling began. */
  readonly deliveries: readonly Delivery[];
  /** Ids of those whose handling ended well, in that order. */
  readonly handled: readonly string[];
  /** How many are being handled now. */
  readonly running: number;
  ids(): string[];
}

/** Joins a group, `group` of `order.>` when nothing else is said, and remembers what came. */
export async function listen(broker: Broker, { handle, ...rest }: Partial<Subscription> = {}): Promise<Listener> {
  const deliveries: Delivery[] = [];
  const handled: string[] = [];
  let running = 0;
  const subscriber = await broker.subscribe({
    ...{ group: "group", subjects: ["order.>"], retryAfterMs: () => 10 },
    ...rest,
    async handle(delivery) {
      deliveries.push(delivery);
      running += 1;
      try {
        await handle?.(delivery);
        handled.push(delivery.message.id);
      } finally {
        running -= 1;
      }
    },
  });
  return {
    ...{ subscriber, deliveries, handled },
    get running() {
      return running;
    },
    ids: () => deliveries.map(({ message }) => message.id),
  };
}

/** Publishes and expects all to be stored; gives their receipts. */
export async function publish(broker: Broker, ...messages: readonly EventMessage[]): Promise<string[]> {
  const results = await broker.publish(messages);
  return results.map((result) => {
    if (result.kind === "stored") return result.receipt;
    throw new Error(`expected a stored message, got a rejected one: ${result.reason}`);
  });
}

/** Resolves when everything that was published before has reached the groups: another message, of the same key, was handled after it. */
export async function settled(world: World, key: string, ...listeners: readonly Listener[]): Promise<void> {
  const last = event(`last-${key}-${listeners[0]?.deliveries.length ?? 0}`, { key });
  await publish(world.broker, last);
  for (const listener of listeners) await until(() => listener.handled.includes(last.id));
}
