import { describe, expect, it } from "vitest";
import type { EventBatch, EventStore, LeasedShard } from "../store/event-store.js";
import { EventWorld, type Planted } from "./event-world.test.support.js";

const SEEDS = Number(process.env.EVENT_SEEDS ?? 40);

const acknowledgedEarly: Planted = {
  broker: (real) => ({
    ...passing(real),
    subscribe: (subscription) =>
      real.subscribe({
        ...subscription,
        async handle(delivery) {
          void subscription.handle(delivery).catch(() => {});
        },
      }),
  }),
};

/** Bugs that a relay, a consumer, a store or a broker could have. */
const BUGS: Readonly<Record<string, Planted>> = {
  "the relay advances before it publishes": {
    store(real) {
      const leased = new Map<number, { group: string; shard: LeasedShard }>();
      return {
        ...real,
        async lease(group, ...rest) {
          const shards = await real.lease(group, ...rest);
          for (const shard of shards) leased.set(shard.shard, { group, shard });
          return shards;
        },
        async read(shard, ...rest) {
          const stored = await real.read(shard, ...rest);
          const [held, last] = [leased.get(shard), stored.at(-1)];
          if (held && last) await real.advance(held.group, held.shard, last.position, held.shard.note);
          return stored;
        },
      };
    },
  },
  "a message is acknowledged before its effect is committed": acknowledgedEarly,
  "what the broker lost is not noticed": { broker: (real) => ({ ...passing(real), holds: async () => true }) },
  "an event that was handled is not known by its id": {
    store: (real) => {
      let n = 0;
      return {
        ...real,
        begin(group, id) {
          n += 1;
          return real.begin(group, `${id} ${n}`);
        },
      };
    },
  },
  "an event that was handled is not known by its id among others": {
    store: (real) => batching(real, (batch, ids) => ({ ...batch, fresh: new Set(ids) })),
  },
  "others are kept when one of them fails": {
    store: (real) => batching(real, (batch) => ({ ...batch, rollback: () => batch.commit() })),
  },
  "the outbox is written apart from what caused it": {
    store: (real) => ({ ...real, putWithin: async (_, events) => void (await real.put(events)) }),
  },
  "a message is acknowledged before its effect is committed, without a server": {
    local: true,
    ...acknowledgedEarly,
  },
  "a position is written down before what it stands for is done": {
    local: true,
    store(real) {
      const read = new Map<number, string>();
      return {
        ...real,
        async read(shard, ...rest) {
          const stored = await real.read(shard, ...rest);
          const last = stored.at(-1);
          if (last) read.set(shard, last.position);
          return stored;
        },
        advance: (group, shard, position, note) => real.advance(group, shard, read.get(shard.shard) ?? position, note),
      };
    },
  },
  "events of one key are handled side by side": {
    broker: (real) => ({
      ...passing(real),
      async publish(messages) {
        return real.publish(messages.map((message) => ({ ...message, key: message.id })));
      },
    }),
  },
};

function batching(real: EventStore, meddle: (batch: EventBatch, ids: readonly string[]) => EventBatch): EventStore {
  const { batches } = real;
  if (batches === undefined) throw new Error("expected a store with batches");
  const begin = async (group: string, ids: readonly string[]) => meddle(await batches.begin(group, ids), ids);
  return { ...real, batches: { ...batches, begin } };
}

/** Methods of a class are not its own properties. */
function passing(real: Parameters<NonNullable<Planted["broker"]>>[0]) {
  return {
    name: real.name,
    open: () => real.open(),
    close: () => real.close(),
    ping: () => real.ping(),
    publish: (messages: Parameters<typeof real.publish>[0]) => real.publish(messages),
    holds: (receipt: string) => real.holds(receipt),
    subscribe: (subscription: Parameters<typeof real.subscribe>[0]) => real.subscribe(subscription),
  };
}

describe("events, in worlds where everything fails", () => {
  it("are handled once by each group if they were committed, else never, and in order where nothing came again", async () => {
    const faults = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new EventWorld(seed);
      await world.run();
      for (const [what, times] of world.faults) faults.set(what, (faults.get(what) ?? 0) + times);
    }
    // A world in which nothing goes wrong tests nothing.
    const wrong = ["broker down or up", "tail lost", "given out again", "process died", "process started"];
    for (const what of [...wrong, "events in one transaction"])
      expect(faults.get(what), what).toBeGreaterThan(SEEDS / 2);
  }, 120_000);

  it("are so without a broker's server as well", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await new EventWorld(seed, { local: true }).run();
  }, 120_000);

  it.each(Object.entries(BUGS))(
    "show a planted bug: %s",
    async (_, planted) => {
      let breach: unknown;
      for (let seed = 1; seed <= SEEDS && breach === undefined; seed++)
        await new EventWorld(seed, planted).run().catch((error: unknown) => {
          breach = error;
        });
      expect(String(breach)).toMatch(/seed \d+: /);
    },
    120_000,
  );
});
