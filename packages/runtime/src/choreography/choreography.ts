import type { Broker } from "../broker/broker.js";
import type { EventMessage } from "../broker/event-message.js";
import { type CloudEvent, readCloudEvent } from "../events/cloud-event.js";
import { ConsumerCounts } from "../events/consumer-counts.js";
import { EventIntake } from "../events/event-intake.js";
import { Membership } from "../events/membership.js";
import { createParkedEvents, type ParkedEvents } from "../events/parked-events.js";
import { createRelay, type Relay } from "../events/relay.js";
import { KnownAgain } from "./known-again.js";
import { Reactions, type ReactionsOptions } from "./reactions.js";
import type { SagaEvents } from "./saga-events.js";
import { ownStageEvent } from "./stage-events.js";
import { Twice } from "./twice.js";

export interface ChoreographyOptions extends ReactionsOptions {
  readonly broker: Broker;
  /** The broker has a log of its own: events go there from the outbox. */
  readonly isRelayed: boolean;
  /** Of the events that it takes. */
  readonly subjects: readonly string[];
  /** All instances of a service are one group. */
  readonly group: string;
  /** After which silence of an instance others react in its place, ms. */
  readonly leaseMs: number;
}

/** The other events lead back, or wait for somebody. */
const BRINGS_ON = /\.(?:started|completed)$/;
/** Then an event is parked; with the pauses between them after four minutes. */
const ATTEMPTS = 15;
/** Events handled at a time by this instance; own ones, which a reaction is under way to already, only wait for it. */
const AT_ONCE = 256;
const OWN_AT_ONCE = 1_000;
/** Draws of an id until its events come to this instance: in vain once in a million times, with a sixteenth of the shards. */
const MAX_DRAWS = 200;

/** Brings the events of choreographed sagas to the units of this service, and to the observer. */
export class Choreography {
  readonly #options: ChoreographyOptions;
  readonly #reactions: Reactions;
  readonly #intake: EventIntake;
  readonly #relay: Relay | null;
  readonly #counts = new ConsumerCounts();
  /** Events that no reaction to was possible. */
  readonly #parked: ParkedEvents;
  readonly #knownAgain: KnownAgain;
  readonly #membership: Membership;
  readonly #twice = new Twice();

  constructor(options: ChoreographyOptions) {
    const { broker, isRelayed, group, subjects, store, events, ports, logger, leaseMs } = options;
    this.#options = options;
    this.#reactions = new Reactions(options);
    const now = () => store.now();
    this.#relay = isRelayed ? createRelay({ store: events, broker, now, ports, logger, leaseMs }) : null;
    const react = { handle: ({ event }: { readonly event: CloudEvent }) => this.#react(event) };
    this.#intake = new EventIntake({
      ...{ store: events, inbox: react, group, counts: this.#counts, ports, logger, attempts: ATTEMPTS },
      knows: (event) => this.#reactions.knows(event),
    });
    this.#parked = createParkedEvents({
      ...{ store: events, group, logger },
      redrive: async ({ event }) => {
        await this.#react(this.#intake.read(event));
        this.#counts.redriven += 1;
      },
    });
    this.#knownAgain = new KnownAgain({ parked: this.#parked, knows: (event) => this.#knows(event), ports, logger });
    this.#membership = new Membership({
      ...{ broker, ports, logger, isPatient: true },
      subscription: {
        ...{ group, subjects, silenceMs: leaseMs, concurrency: isRelayed ? AT_ONCE : OWN_AT_ONCE },
        handle: (delivery) => this.#twice.once(delivery.message.id, () => this.#intake.take(delivery)),
      },
    });
  }

  /** What has come of the events of this process, and the parked ones of all. */
  get events(): SagaEvents {
    const relay = this.#relay;
    return {
      counts: { ...this.#counts, published: relay?.counts.published ?? 0, rewound: relay?.counts.rewound ?? 0 },
      parked: [{ group: this.#options.group, parked: this.#parked }, ...(relay === null ? [] : [relay])],
    };
  }

  #knows(event: EventMessage): boolean {
    return this.#reactions.knows(readCloudEvent(event.body));
  }

  async #react(event: CloudEvent): Promise<"handled"> {
    await this.#reactions.handle(event);
    return "handled";
  }

  /** Why no events come, or leave; null while they do. */
  get outage(): string | null {
    return this.#membership.outage ?? this.#relay?.outage?.reason ?? null;
  }

  /** One for a run whose events come to this instance, if any do by their key. */
  nearId(draw: () => string): string {
    const { subscriber } = this.#membership;
    let id = draw();
    if (subscriber?.isNear === undefined) return id;
    for (let draws = 1; draws < MAX_DRAWS && !subscriber.isNear(id); draws += 1) id = draw();
    return id;
  }

  /**
   * Events that were written here and are in the outbox. Those that bring a saga on, and that would come back to this instance, are reacted
   * to at once: nobody else would do it sooner. When that fails they are reacted to as they come. `unread`: as `Append` says of their run.
   */
  emitted(events: readonly EventMessage[], unread?: boolean): void {
    const { signal, subscriber } = this.#membership;
    if (signal.aborted) return;
    for (const event of events) {
      if (!BRINGS_ON.test(event.subject) || subscriber?.isNear?.(event.key) !== true) continue;
      const own = ownStageEvent(event);
      if (own !== undefined) this.#twice.once(event.id, () => this.#reactions.handleOwn(own, unread)).catch(() => {});
    }
  }

  /** A broker that is not there is joined when it comes; events wait in the outbox meanwhile. */
  async open(): Promise<void> {
    await this.#relay?.start();
    this.#knownAgain.start();
    await this.#membership.start();
  }

  async close(graceMs: number): Promise<void> {
    await Promise.all([this.#membership.stop(graceMs), this.#knownAgain.stop()]);
    this.#reactions.close();
    await this.#relay?.stop(graceMs);
    await this.#options.broker.close();
  }
}
