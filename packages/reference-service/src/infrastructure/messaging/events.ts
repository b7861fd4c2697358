/**
 * The service's events on their way: from the outbox to the broker, and from brokers to those who handle them here. With
 * NATS_URL the broker is JetStream, on which each service has a stream of its own; without, the outbox itself is the log,
 * and what other services publish cannot be heard.
 */
import {
  type Broker,
  type ConsumerOptions,
  createConsumer,
  createLocalBroker,
  createRelay,
  type EventStore,
  type RunStore,
  RuntimeError,
} from "@clean-arch/runtime";
import type { Events } from "../../application/ports/events.js";
import type { Dependency } from "../../application/ports/health.js";
import type { Logger } from "../../application/ports/logger.js";
import { ConfigError } from "../config/config-error.js";
import type { Settings } from "../config/settings.js";
import type { EventCounts } from "../metrics/event-metrics.js";
import { createBroker } from "../session/broker.js";
import { causedByRequest } from "./cause.js";
import { createParkedEvents, type ParkingGroup } from "./parked-events.js";

/** What one group of this service handles. */
export interface HandledEvents {
  readonly group: string;
  /** Whose events they are; null: this service's own. */
  readonly from: string | null;
  readonly subjects: readonly string[];
  readonly handling: Handling;
}

/** `handleWithin`: the effect is in the transaction that says that the event was handled. */
export type Handling = Pick<ConsumerOptions, "handle"> | Pick<ConsumerOptions, "handleWithin">;

export interface EventsParts {
  readonly settings: Settings;
  /** Open by the time the events are. */
  readonly store: RunStore;
  /** Null: the outbox. Whoever made it closes it later. */
  readonly broker: Broker | null;
  readonly handled: readonly HandledEvents[];
  /** What was committed here, by type. */
  readonly published: ReadonlyMap<string, number>;
  /** Groups beside those of this file: of choreographed sagas. */
  readonly others?: readonly ParkingGroup[];
  readonly logger: Logger;
}

export interface ServiceEvents extends Events, EventCounts {
  /** A broker that does not answer yet is tried again in the background. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** The broker, where there is one. The outbox is the database, which has a check of its own. */
  readonly dependencies: readonly Dependency[];
}

/** Throws a `ConfigError` in production when others' events are to be handled and nothing can bring them. */
export function createEvents(parts: EventsParts): ServiceEvents {
  const { settings, store, broker, handled, published, others = [], logger } = parts;
  const events = eventsOf(store);
  const now = () => store.now();
  const own = broker ?? createLocalBroker({ store: events, now, logger });
  const relay = broker === null ? null : createRelay({ store: events, broker, now, logger });
  const foreign = foreignBrokers(settings, handled, logger);
  const consumers = handled.flatMap(({ group, from, subjects, handling }) => {
    const source = from === null ? own : foreign.get(from);
    return source === undefined
      ? []
      : [createConsumer({ broker: source, store: events, group, subjects, logger, ...handling })];
  });
  const groups = [...consumers, ...(relay === null ? [] : [relay]), ...others];
  const brokers = [...(broker === null ? [] : [broker]), ...foreign.values()];

  return {
    published,
    relay,
    consumers,
    parked: createParkedEvents({ store: events, groups, logger }),
    causedBy: causedByRequest,
    dependencies: brokers.length === 0 ? [] : [{ name: "broker", check: () => allAnswer(brokers) }],
    async open() {
      if (broker === null) await own.open();
      await relay?.start();
      await Promise.all(consumers.map((consumer) => consumer.start()));
    },
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      await relay?.stop();
      await Promise.all([...foreign.values(), ...(broker === null ? [own] : [])].map((one) => one.close()));
    },
  };
}

async function allAnswer(brokers: readonly Broker[]): Promise<undefined> {
  for (const broker of brokers) {
    // Until its first event nobody else may have.
    await broker.open();
    await broker.ping();
  }
}

export function eventsOf({ events }: RunStore): EventStore {
  if (events !== undefined) return events;
  throw new RuntimeError("config-invalid", "expected a store of runs that keeps events, got one that does not");
}

/** By service; empty where there is no NATS. */
function foreignBrokers(
  settings: Settings,
  handled: readonly HandledEvents[],
  logger: Logger,
): ReadonlyMap<string, Broker> {
  const services = new Set(handled.flatMap(({ from }) => (from === null ? [] : [from])));
  const brokers = new Map<string, Broker>();
  for (const service of services) {
    const broker = createBroker(settings, logger, service);
    if (broker !== null) brokers.set(service, broker);
    else if (settings.production) throw new ConfigError([missing(service)]);
    else logger.warn({ service }, "its events cannot come: set NATS_URL, over which services hear each other");
  }
  return brokers;
}

function missing(service: string): ConstructorParameters<typeof ConfigError>[0][number] {
  const expected = `nats://host:port in production: over it come the events of ${service}`;
  return { source: "environment", key: "NATS_URL", expected, got: "nothing" };
}
