import type { Delivery } from "../broker/broker.js";
import { silentLogger } from "../log.js";
import { systemPorts } from "../ports.js";
import { ConsumerCounts } from "./consumer-counts.js";
import { type ConsumerOptions, consumerBounds, handlingOf } from "./consumer-options.js";
import { EventIntake } from "./event-intake.js";
import { Inbox } from "./inbox.js";
import { Membership } from "./membership.js";
import { createParkedEvents, type ParkedEvents } from "./parked-events.js";
import { retryDelayMs } from "./retry-delay.js";

/**
 * Handles the events of a group, each once: however often a broker brings it, what was handled is known by its id. An event that fails
 * comes again with backoff, and is parked with its error when it has failed often enough, or for good; it then holds up nobody.
 */
export interface Consumer {
  readonly group: string;
  /**
   * Joins the group. A broker or a store that does not answer is tried again in the background; this resolves after the first try. Twice
   * is once. Errors: `input-invalid` for the group's name or a subject, `broker-incompatible`.
   */
  start(): Promise<void>;
  /** Takes no more events and waits for those under way, at most `graceMs` (default 10,000). The broker stays open. Twice is once. */
  stop(graceMs?: number): Promise<void>;
  /** Whether it has joined its group. */
  readonly isSubscribed: boolean;
  readonly counts: Readonly<ConsumerCounts>;
  /** Events of the group that nobody has handled yet. Error: `broker-unavailable`, also before it has joined. */
  lag(): Promise<number>;
  readonly parked: ParkedEvents;
}

/** What a parked event is handled under when it is handled after all: the id itself stays that of an event that is done with. */
const REDRIVEN = "#redriven";

/** Errors: `config-invalid`. */
export function createConsumer<Client = unknown>(options: ConsumerOptions<Client>): Consumer {
  const { broker, store, group, subjects, concurrency, silenceMs, knows } = options;
  const { ports = systemPorts, logger = silentLogger } = options;
  const { attempts, timeoutMs, backoff, batch } = consumerBounds(options);
  const counts = new ConsumerCounts();
  const inbox = new Inbox<Client>({
    ...{ store, group, clock: ports.clock, timeoutMs, batch, counts },
    handling: handlingOf(options),
  });
  const intake = new EventIntake({
    store,
    inbox,
    group,
    counts,
    ports,
    logger,
    attempts,
    knows: knows ?? (() => true),
  });
  const subscription = {
    ...{ group, subjects },
    ...(concurrency !== undefined && { concurrency }),
    ...(silenceMs !== undefined && { silenceMs }),
    handle: (delivery: Delivery) => intake.take(delivery),
    retryAfterMs: (attempt: number) => retryDelayMs(backoff, attempt, ports.random),
  };
  const membership = new Membership({ broker, subscription, ports, logger });

  return {
    group,
    counts,
    get isSubscribed() {
      return membership.isSubscribed;
    },
    start: () => membership.start(),
    stop: (graceMs) => membership.stop(graceMs),
    lag: async () => {
      if (membership.subscriber === undefined) throw intake.notJoined();
      return membership.subscriber.lag();
    },
    parked: createParkedEvents({
      ...{ store, group, logger },
      redrive: async ({ event: message }) => {
        const event = intake.read(message);
        await inbox.handle({ id: message.id + REDRIVEN, event, attempt: 1, signal: membership.signal, alone: true });
        counts.redriven += 1;
      },
    }),
  };
}
