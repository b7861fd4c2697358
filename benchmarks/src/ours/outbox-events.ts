import { cloudEvent, createConsumer, createRelay, type EventMessage, eventMessage } from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import pg from "pg";
import { type EventDriver, serveEvents } from "../events/contender.js";
import { Effects } from "../events/effects.js";
import { Handlings } from "../events/handlings.js";
import { actOf, orderPlaced } from "../events/order-placed.js";
import type { Place } from "../events/protocol.js";
import { tellingBroker } from "./telling-broker.js";

/**
 * An event is committed to the outbox on PostgreSQL, each by itself, brought to JetStream by the relay, and handled by a consumer whose
 * effect, a row, commits with the event's id. First argument `alone`: the event is all that is committed; `within`: with a row of the
 * caller's, in a transaction of the caller's. Store, relay, consumer and caller are one process, as bare JetStream's publisher and consumer are.
 *
 * Settings that are not the defaults: as many events are handled at once as are in flight, in up to 16 transactions at a time, because with
 * the default of 4 more of them share one, whose handlers are called one after the other.
 */
const HANDLED_AT_ONCE = 100;
const TRANSACTIONS = 16;
const CALLERS_CONNECTIONS = 16;

const effects = new Effects(1);

/** Commits the event; resolves with when the statement that commits was sent, by `performance.now`. */
type Commit = (message: EventMessage, n: number) => Promise<number>;

serveEvents(effects, async ({ databaseUrl, natsUrl, stream }: Place): Promise<EventDriver> => {
  const handlings = new Handlings();
  const store = createPostgresRunStore({ url: databaseUrl, transactions: TRANSACTIONS });
  await store.open();
  const { events } = store;
  if (events === undefined) throw new Error("expected a store that keeps events, got one that does not");
  const pool = new pg.Pool({ connectionString: databaseUrl, max: CALLERS_CONNECTIONS });
  await pool.query("create table orders (n int not null)");
  // Without a key, so that a second effect of an event would be kept and found.
  await pool.query("create table effects (n int not null)");

  const nats = createNatsBroker({ servers: natsUrl, stream, prefix: stream });
  const broker = tellingBroker(nats, (event) => handlings.ended(event));
  const relay = createRelay({ store: events, broker, now: () => store.now() });
  const consumer = createConsumer<pg.ClientBase>({
    ...{ broker, store: events, group: "bench", subjects: ["shop.order.placed"], concurrency: HANDLED_AT_ONCE },
    handleWithin: async ({ id, data }, { client }) => {
      handlings.begins(id);
      const n = actOf(data);
      await client.query({ name: "effect", text: "insert into effects values ($1)", values: [n] });
      effects.done(n);
    },
  });
  await relay.start();
  await consumer.start();

  const alone: Commit = async (message) => {
    const sentAt = performance.now();
    await events.put([message]);
    return sentAt;
  };
  const within: Commit = async (message, n) => {
    const client = await pool.connect();
    try {
      await client.query("begin");
      await client.query({ name: "order", text: "insert into orders values ($1)", values: [n] });
      await events.putWithin(client, [message]);
      const sentAt = performance.now();
      await client.query("commit");
      return sentAt;
    } finally {
      client.release();
    }
  };
  const commit = process.argv[2] === "within" ? within : alone;

  return {
    async act(n) {
      const message = eventMessage(cloudEvent(orderPlaced(n)));
      const handled = handlings.of(message.id);
      const committedFrom = await commit(message, n);
      return (await handled) - committedFrom;
    },
    async expectKept(acts) {
      const { rows } = await pool.query("select count(*)::int as kept, count(distinct n)::int as acts from effects");
      const [found] = rows;
      if (found?.kept === acts && found.acts === acts) return;
      throw new Error(`expected ${acts} effects in the database, each once, got ${JSON.stringify(found)}`);
    },
    async close() {
      await consumer.stop();
      await relay.stop();
      await broker.close();
      await store.close();
      await pool.end();
    },
  };
});
