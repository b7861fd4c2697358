import {
  type Broker,
  type Consumer,
  cloudEvent,
  createConsumer,
  createRelay,
  type EventStore,
  eventMessage,
  type Relay,
  type RunStore,
} from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import pg from "pg";
import { type EventDriver, serveEvents } from "../events/contender.js";
import { Effects } from "../events/effects.js";
import { Handlings } from "../events/handlings.js";
import { actOf, orderPlaced } from "../events/order-placed.js";
import type { Place } from "../events/protocol.js";

const effects = new Effects(1);
const handlings = new Handlings();

/** The same broker, which also tells when an event is done with: after the commit of its effect. */
function telling(broker: Broker): Broker {
  return {
    name: broker.name,
    open: () => broker.open(),
    close: () => broker.close(),
    ping: () => broker.ping(),
    publish: (messages) => broker.publish(messages),
    holds: (receipt) => broker.holds(receipt),
    subscribe: (subscription) =>
      broker.subscribe({
        ...subscription,
        handle: async (delivery) => {
          await subscription.handle(delivery);
          handlings.ended(delivery.message.id);
        },
      }),
  };
}

class OutboxEventsDriver implements EventDriver {
  #store: RunStore | null = null;
  #events: EventStore | null = null;
  #broker: Broker | null = null;
  #relay: Relay | null = null;
  #consumer: Consumer | null = null;
  #pool: pg.Pool | null = null;

  async open({ databaseUrl, natsUrl, stream }: Place): Promise<void> {
    const transactions = Number(process.env.BENCH_TX ?? 4);
    const store = createPostgresRunStore({ url: databaseUrl, transactions });
    await store.open();
    const { events } = store;
    if (events === undefined) throw new Error("expected a store that keeps events");
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
    await this.#pool.query("create table orders (n int not null)");
    await this.#pool.query("create table effects (n int not null)");
    const broker = telling(createNatsBroker({ servers: natsUrl, stream, prefix: stream }));
    this.#store = store;
    this.#events = events;
    this.#broker = broker;
    this.#relay = createRelay({ store: events, broker, now: () => store.now() });
    const consumer = createConsumer<pg.ClientBase>({
      ...{ broker, store: events, group: "bench", subjects: ["shop.order.placed"] },
      concurrency: Number(process.env.BENCH_CONC ?? 32),
      handleWithin: async ({ id, data }, { client }) => {
        handlings.begins(id);
        const n = actOf(data);
        await client.query({ name: "effect", text: "insert into effects values ($1)", values: [n] });
        effects.done(n);
      },
    });
    this.#consumer = consumer;
    await this.#relay.start();
    await consumer.start();
  }

  async act(n: number): Promise<number> {
    if (this.#events === null || this.#pool === null) throw new Error("expected to be opened first");
    const message = eventMessage(cloudEvent(orderPlaced(n)));
    const handled = handlings.of(message.id);
    let committedFrom: number;
    if (process.argv[2] === "within") {
      const client = await this.#pool.connect();
      await client.query("begin");
      await client.query({ name: "order", text: "insert into orders values ($1)", values: [n] });
      await this.#events.putWithin(client, [message]);
      committedFrom = performance.now();
      await client.query("commit");
      client.release();
    } else {
      committedFrom = performance.now();
      await this.#events.put([message]);
    }
    return (await handled) - committedFrom;
  }

  async expectKept(acts: number): Promise<void> {
    const { rows } = (await this.#pool?.query(
      "select count(*)::int as all, count(distinct n)::int as once from effects",
    )) ?? { rows: [] };
    const [kept] = rows;
    if (kept?.all !== acts || kept.once !== acts)
      throw new Error(`expected ${acts} effects in the database, each once, got ${JSON.stringify(kept)}`);
  }

  async close(): Promise<void> {
    await this.#consumer?.stop();
    await this.#relay?.stop();
    await this.#broker?.close();
    await this.#store?.close();
    await this.#pool?.end();
  }
}

serveEvents(new OutboxEventsDriver(), effects);
