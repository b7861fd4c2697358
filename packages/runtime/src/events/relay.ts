import type { Broker } from "../broker/broker.js";
import { type Logger, silentLogger } from "../log.js";
import { type Ports, systemPorts } from "../ports.js";
import type { EventStore, LeasedShard } from "../store/event-store.js";
import { BrokerLink, type Outage } from "./broker-link.js";
import { type EventRetention, eventRetention } from "./event-retention.js";
import { EventSweep } from "./event-sweep.js";
import { createParkedEvents, type ParkedEvents } from "./parked-events.js";
import { RelayCounts } from "./relay-counts.js";
import { ShardLeases } from "./shard-leases.js";
import { ShardRelay } from "./shard-relay.js";

/**
 * From the outbox to a broker, at least once, those of one key in the order of their commits. The relays of all processes are members of
 * one group and share its shards; whoever dies is followed by another one when its lease is over. A broker that is down costs time and
 * nothing else. One that has lost what it had taken gets it again, as far back as the outbox goes: `replayMs`.
 */
export interface Relay {
  /** Name of its group: `relay:nats`. Under it lie the events that the broker never takes. */
  readonly group: string;
  /** Resolves when the store has been asked for shards; the broker is opened in the background. Twice is once. */
  start(): Promise<void>;
  /** Waits for what is on its way, at most `graceMs` (default 10,000), and gives its shards to others. The broker stays open. */
  stop(graceMs?: number): Promise<void>;
  readonly counts: Readonly<RelayCounts>;
  /** Since when the broker has not answered, and why; null: it did, or was not asked yet. */
  readonly outage: Outage | null;
  /** Of all processes. */
  lag(): Promise<RelayLag>;
  readonly parked: ParkedEvents;
}

export interface RelayLag {
  /** Events that the broker has not taken yet; at most 10,000 are counted for each shard. */
  readonly waiting: number;
  /** When the oldest of them was put, store's clock, ms since the epoch; null: none waits. */
  readonly oldestAt: number | null;
}

export interface RelayOptions {
  readonly store: EventStore;
  /** Whoever made it closes it, after the relay has stopped. */
  readonly broker: Broker;
  /** The store's clock: `RunStore.now`. */
  readonly now: () => Promise<number>;
  /** Default: the system's. */
  readonly ports?: Ports;
  /** Default: none. */
  readonly logger?: Logger;
  /** How long a process may be silent before others take its shards, ms. Default 10,000. */
  readonly leaseMs?: number;
  /** How often a shard is looked at when no hint comes, ms. Default 1,000. */
  readonly pollMs?: number;
  /** Of one shard on its way at once, at most. Default 500 events, 1 MiB of text. */
  readonly batch?: { readonly events: number; readonly bytes: number };
  /** Default: 24 h to send again, 7 days for ids of handled events, 3 days in the broker. */
  readonly retention?: Partial<EventRetention>;
}

const DEFAULT_BATCH = { events: 500, bytes: 1_048_576 };
const GRACE_MS = 10_000;

/** Error: `config-invalid`. */
export function createRelay(options: RelayOptions): Relay {
  const { store, broker, now, ports = systemPorts, logger = silentLogger } = options;
  const { leaseMs = 10_000, pollMs = 1_000, batch = DEFAULT_BATCH } = options;
  const retention = eventRetention(options.retention);
  const group = `relay:${broker.name}`;
  const counts = new RelayCounts();
  const link = new BrokerLink(broker, ports.clock, logger);
  const shards = new Map<number, ShardRelay>();
  /** Shards that were lost and are still waiting for an answer. */
  const ending = new Set<Promise<void>>();

  const end = (shard: number): void => {
    const ended = shards.get(shard)?.stop();
    shards.delete(shard);
    if (ended === undefined) return;
    ending.add(ended);
    void ended.finally(() => ending.delete(ended));
  };
  const begin = (shard: LeasedShard): void => {
    const relay = new ShardRelay(shard, {
      ...{ store, link, ports, logger, group, counts, batch, pollMs, now, replayMs: retention.replayMs },
      trusted: () => leases.trusted(),
      onTaken: (taken) => leases.drop(taken),
    });
    shards.set(shard.shard, relay);
    relay.start();
  };
  const leases = new ShardLeases({ store, ports, logger, group, leaseMs, onHeld: begin, onLost: end });
  const sweep = new EventSweep({ store, ports, logger, retention, now });
  store.listen?.((put) => {
    for (const shard of put) shards.get(shard)?.wake();
  });

  let state: "new" | "started" | "stopped" = "new";
  return {
    group,
    counts,
    get outage() {
      return link.outage;
    },
    async start() {
      if (state !== "new") return;
      state = "started";
      sweep.start();
      await leases.start();
    },
    async stop(graceMs = GRACE_MS) {
      if (state === "stopped") return;
      state = "stopped";
      for (const shard of [...shards.keys()]) end(shard);
      await Promise.all([within(ports, graceMs, Promise.all(ending)), sweep.stop()]);
      await leases.stop();
    },
    async lag() {
      const mine = (await store.groups()).find((row) => row.group === group);
      return { waiting: mine?.waiting ?? 0, oldestAt: mine?.oldestAt ?? null };
    },
    parked: createParkedEvents({
      ...{ store, group, logger },
      redrive: async ({ event }) => {
        const [result] = await link.call((open) => open.publish([event]));
        if (result?.kind === "rejected")
          throw new Error(`expected ${broker.name} to take event ${event.id}, got: ${result.reason}`);
        counts.published += 1;
      },
    }),
  };
}

/** Whichever comes first. */
function within(ports: Ports, maxMs: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = ports.clock.after(maxMs, resolve);
    const finish = (): void => {
      cancel();
      resolve();
    };
    promise.then(finish, finish);
  });
}
