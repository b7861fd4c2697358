import type { Broker, PublishResult } from "../../broker/broker.js";
import { checkPattern } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type EventRetention, eventRetention } from "../../events/event-retention.js";
import { EventSweep } from "../../events/event-sweep.js";
import { type Logger, silentLogger } from "../../log.js";
import { type Ports, systemPorts } from "../../ports.js";
import type { EventStore, PutResult } from "../../store/event-store.js";
import { GroupMember } from "./group-member.js";

/**
 * A broker without a server: the outbox is its log, and what is put there needs no relay. For services of one database. A group's members
 * share the shards of the outbox, each under a lease. How far a group has come is the oldest event that it has not done with; after a crash all
 * from there on comes again, what was done above it included.
 */
export interface LocalBrokerOptions {
  readonly store: EventStore;
  /** The store's clock: `RunStore.now`. */
  readonly now: () => Promise<number>;
  /** Default: the system's. */
  readonly ports?: Ports;
  /** Default: none. */
  readonly logger?: Logger;
  /** How often a shard is looked at when no hint comes, ms. Default 1,000. */
  readonly pollMs?: number;
  /** Default: events 24 h, ids of handled events 7 days. */
  readonly retention?: Partial<EventRetention>;
}

const GROUP = /^[A-Za-z0-9_-]{1,64}$/;

/** Opened and closed after and before its store. Error: `config-invalid`. */
export function createLocalBroker(options: LocalBrokerOptions): Broker {
  const { store, now, ports = systemPorts, logger = silentLogger, pollMs = 1_000 } = options;
  const sweep = new EventSweep({ store, ports, logger, now, retention: eventRetention(options.retention) });
  const members = new Set<GroupMember>();
  let isOpen = false;
  store.listen?.((shards) => {
    for (const member of members) member.wake(shards);
  });

  const answer = async <Value>(call: () => Promise<Value>): Promise<Value> => {
    if (!isOpen) throw unavailable("an open broker", "a call before open or after close");
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RuntimeError && error.code === "store-unavailable")) throw error;
      throw unavailable("the outbox to answer", error.message, error);
    }
  };
  return {
    name: "local",
    async open() {
      if (isOpen) return;
      isOpen = true;
      sweep.start();
    },
    async close() {
      isOpen = false;
      await Promise.all([sweep.stop(), ...[...members].map((member) => member.stop())]);
    },
    ping: () => answer(async () => void (await store.read(0, null, 1))),
    publish: (messages) => answer(async () => (await store.put(messages)).map(published)),
    holds: () => answer(async () => true),
    async subscribe(subscription) {
      if (!GROUP.test(subscription.group)) {
        const got = JSON.stringify(subscription.group).slice(0, 80);
        const message = `expected the name of a group to be 1 to 64 characters of A-Z, a-z, 0-9, _ and -, got ${got}`;
        throw new RuntimeError("input-invalid", message, { what: "group" });
      }
      if (subscription.subjects.length === 0)
        throw new RuntimeError("input-invalid", `expected a subject for group ${subscription.group}, got none`);
      subscription.subjects.forEach(checkPattern);
      const { concurrency = 1 } = subscription;
      if (!(Number.isSafeInteger(concurrency) && concurrency >= 1))
        throw new RuntimeError("input-invalid", `expected concurrency to be a whole number from 1, got ${concurrency}`);
      const member = new GroupMember({
        ...{ store, ports, logger, subscription, pollMs },
        onStopped: (stopped) => void members.delete(stopped),
      });
      // A database that is down is noticed by who asks to join, not in the background.
      await answer(() => store.read(0, null, 1));
      members.add(member);
      await member.start();
      return {
        stop: (graceMs) => member.stop(graceMs),
        lag: () => answer(() => member.lag()),
        isNear: (key) => member.isNear(key),
      };
    },
  };
}

/** A message that was published before is stored once, and is as good as stored now. */
function published(result: PutResult): PublishResult {
  return result.kind === "rejected" ? result : { kind: "stored", receipt: "outbox" };
}

function unavailable(expected: string, got: string, cause?: Error): RuntimeError {
  const message = `expected ${expected}, got ${got}; trying again may help`;
  return new RuntimeError("broker-unavailable", message, { broker: "local" }, { cause });
}
