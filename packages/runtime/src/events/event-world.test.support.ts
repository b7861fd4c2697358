import type { Broker } from "../broker/broker.js";
import type { EventMessage } from "../broker/event-message.js";
import { createLocalBroker } from "../brokers/local/index.js";
import { silentLogger } from "../log.js";
import { sleep } from "../ports.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import type { EventStore, EventTransaction } from "../store/event-store.js";
import { createMemoryRunStore, createMemoryWorld, type MemoryClient } from "../stores/memory/index.js";
import { createManualClock } from "../testing/manual-clock.js";
import { createConsumer } from "./consumer.js";
import { event } from "./event-bench.test.support.js";
import type { EventTransactionContext } from "./event-context.js";
import { FaultyBrokerServer } from "./faulty-broker.test.support.js";
import { createRelay } from "./relay.js";

/** What a planted bug puts in the place of the real thing. */
export interface Planted {
  /** Events are carried by the outbox itself, and no relay is there. */
  readonly local?: boolean;
  readonly store?: (store: EventStore) => EventStore;
  readonly broker?: (broker: Broker) => Broker;
}

const GROUPS = ["billing", "shipping"];
const ORDERS = 6;
const WORLD_MS = 120_000;
/** After the last fault. Leases, checks and delays are over by then. */
const QUIET_MS = 180_000;

/** What one group has in its table, by event, and the order in which each key's events were handled. */
interface Effects {
  readonly counts: Map<string, number>;
  readonly orders: Map<string, string[]>;
}

/**
 * Processes with one database and one broker, of which everything fails: commits that are rolled back, processes that die and are followed by
 * others, a broker that is down, loses replies, loses its end, and gives out again, out of order. Judged at the end, when all faults are over.
 */
export class EventWorld {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #clock = createManualClock();
  readonly #world = createMemoryWorld();
  readonly #server: FaultyBrokerServer;
  readonly #planted: Planted;
  /** One process, and no fault by which something would come again: then the order holds. */
  readonly #isCalm: boolean;
  /** No handler waits for anything, and few fail: then many share a transaction. */
  readonly #isQuick: boolean;
  readonly #processes = new Set<{ die(): void }>();
  readonly #committed: EventMessage[] = [];
  readonly #undone = new Set<string>();
  readonly faults = new Map<string, number>();
  #number = 0;

  constructor(seed: number, planted: Planted = {}) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#planted = planted;
    this.#server = new FaultyBrokerServer(this.#clock, this.#random);
    this.#isCalm = seed % 5 === 0;
    this.#isQuick = seed % 3 === 0;
  }

  async run(): Promise<void> {
    const writer = await this.#openStore(() => false);
    await this.#startProcess();
    if (!this.#isCalm) await this.#startProcess();
    this.#server.lostReplies = this.#isCalm ? 0 : this.#random.pick([0, 0.1, 0.3]);
    this.#server.disorder = this.#isCalm ? 0 : this.#random.pick([0, 0.3]);
    for (let at = 0; at < WORLD_MS; ) {
      const ms = this.#random.below(2_000);
      await this.#pass(ms);
      at += ms;
      await this.#write(writer);
      await this.#fail();
    }
    this.#server.lostReplies = 0;
    this.#server.disorder = 0;
    this.#server.up();
    if (this.#processes.size === 0) await this.#startProcess();
    await this.#pass(QUIET_MS);
    for (const group of GROUPS) this.#judge(group);
  }

  async #startProcess(): Promise<void> {
    let isDead = false;
    const open = new Set<EventTransaction>();
    const store = await this.#openStore(() => isDead, open);
    const ports = { clock: this.#clock, random: this.#random };
    const now = async (): Promise<number> => this.#clock.now();
    const connection = this.#server.connect();
    const carrier = this.#planted.local === true ? createLocalBroker({ store, ports, now }) : connection;
    const broker = this.#planted.broker?.(carrier) ?? carrier;
    const relay = createRelay({
      ...{ broker, store, ports, now, leaseMs: 6_000 },
      batch: { events: 4, bytes: 1_000_000 },
    });
    const consumers = GROUPS.map((group) =>
      createConsumer<MemoryClient>({
        ...{ broker, store, group, subjects: ["shop.>"], ports, logger: silentLogger },
        ...{ attempts: 1_000_000, timeoutMs: 5_000, backoff: { maxDelayMs: 2_000 }, concurrency: 4, silenceMs: 6_000 },
        handleWithin: (handled, context) => this.#handle(group, handled.id, String(handled.subject), context),
      }),
    );
    this.#processes.add({
      die: () => {
        isDead = true;
        connection.die();
        // What a database does with the transactions of a connection that is gone.
        for (const transaction of open) void transaction.rollback();
      },
    });
    // None of them may come back any more when the process dies meanwhile.
    for (const starting of this.#planted.local === true ? consumers : [relay, ...consumers]) void starting.start();
    await this.#pass(0);
  }

  /** A store whose calls neither happen nor return once the process is dead. */
  async #openStore(isDead: () => boolean, open = new Set<EventTransaction>()): Promise<EventStore> {
    const run = createMemoryRunStore({ clock: this.#clock, world: this.#world, workers: "many" });
    await run.open();
    const real = run.events;
    if (real === undefined) throw new Error("expected a store with events");
    const never = new Promise<never>(() => {});
    const alive = async <Value>(call: () => Promise<Value>): Promise<Value> => {
      if (isDead()) return never;
      const value = await call();
      return isDead() ? never : value;
    };
    const tracked = async <Begun extends EventTransaction>(begin: () => Promise<Begun | "handled">) => {
      if (isDead()) return never;
      const begun = await begin();
      if (begun === "handled") return begun;
      if (isDead()) {
        await begun.rollback();
        return never;
      }
      open.add(begun);
      const ended = (end: () => Promise<void>) => alive(() => end().finally(() => open.delete(begun)));
      return { ...begun, commit: () => ended(() => begun.commit()), rollback: () => ended(() => begun.rollback()) };
    };
    const { batches } = real;
    if (batches === undefined) throw new Error("expected a store with batches");
    const mortal: EventStore = {
      ...real,
      put: (batch) => alive(() => real.put(batch)),
      lease: (...args) => alive(() => real.lease(...args)),
      release: (...args) => alive(() => real.release(...args)),
      read: (...args) => alive(() => real.read(...args)),
      advance: (...args) => alive(() => real.advance(...args)),
      park: (...args) => alive(() => real.park(...args)),
      begin: (group, id) => tracked(() => real.begin(group, id)),
      batches: {
        atOnce: 2,
        isHandled: (group, id) => alive(() => batches.isHandled(group, id)),
        begin: async (group, ids) => {
          this.#did("events in one transaction");
          const begun = await tracked(() => batches.begin(group, ids));
          return begun === "handled" ? never : begun;
        },
      },
    };
    return this.#planted.store?.(mortal) ?? mortal;
  }

  /** Some events of some orders, in one transaction that is committed, or not. */
  async #write(store: EventStore): Promise<void> {
    const batch = Array.from({ length: 1 + this.#random.below(5) }, () => {
      this.#number += 1;
      return event(this.#number, `order-${this.#random.below(ORDERS)}`);
    });
    const transaction = await store.begin("writer", `write-${this.#number}`);
    if (transaction === "handled") throw new Error("expected a new transaction");
    await store.putWithin(transaction.client, batch);
    if (this.#random.chance(0.3)) {
      await transaction.rollback();
      for (const { id } of batch) this.#undone.add(id);
    } else {
      await transaction.commit();
      this.#committed.push(...batch);
    }
  }

  async #handle(
    group: string,
    id: string,
    order: string,
    { client, signal }: EventTransactionContext<MemoryClient>,
  ): Promise<void> {
    const failing = this.#isQuick ? 0.02 : 0.1;
    if (!this.#isCalm && this.#random.chance(failing)) throw new Error("not now");
    if (!this.#isQuick && this.#random.chance(0.3)) await sleep(this.#clock, this.#random.below(3_000), signal);
    const { counts, orders } = this.#effects(group);
    client.set(`${group} ${id}`, (counts.get(id) ?? 0) + 1);
    client.set(`${group} order ${order}`, [...(orders.get(order) ?? []), id]);
    if (!this.#isCalm && this.#random.chance(failing)) throw new Error("not now, after all");
  }

  #effects(group: string): Effects {
    const [counts, orders] = [new Map<string, number>(), new Map<string, string[]>()];
    for (const [key, text] of this.#world.values) {
      const [of, first = "", order = ""] = key.split(" ");
      if (of !== group) continue;
      if (first === "order") orders.set(order, JSON.parse(text));
      else counts.set(first, JSON.parse(text));
    }
    return { counts, orders };
  }

  #did(what: string): void {
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
  }

  async #fail(): Promise<void> {
    if (this.#random.chance(0.04)) {
      this.#server.isDown = !this.#server.isDown;
      this.#did("broker down or up");
      if (!this.#server.isDown) this.#server.pump();
    }
    if (this.#isCalm) return;
    if (this.#random.chance(0.05)) {
      // No server does that without being away for a while, or without breaking connections.
      this.#server.loseTail(1 + this.#random.below(20));
      this.#server.isDown = true;
      this.#clock.after(1_500, () => this.#server.up());
      this.#did("tail lost");
    }
    if (this.#random.chance(0.05)) {
      this.#server.redeliver();
      this.#did("given out again");
    }
    if (this.#random.chance(0.08)) {
      const [victim] = this.#processes;
      victim?.die();
      if (victim !== undefined) this.#processes.delete(victim);
      this.#did("process died");
    }
    if (this.#processes.size < 3 && this.#random.chance(0.15)) {
      await this.#startProcess();
      this.#did("process started");
    }
  }

  #judge(group: string): void {
    const { counts, orders } = this.#effects(group);
    for (const { id } of this.#committed) {
      const times = counts.get(id) ?? 0;
      if (times !== 1) throw this.#breach(`${group} handled ${id}, which was committed, ${times} times`);
    }
    for (const id of counts.keys())
      if (this.#undone.has(id)) throw this.#breach(`${group} handled ${id}, which was rolled back`);
    if (!this.#isCalm) return;
    for (const [order, ids] of orders) {
      const expected = this.#committed.filter(({ key }) => key === order).map(({ id }) => id);
      if (ids.join() !== expected.join())
        throw this.#breach(`${group} handled ${order} as ${ids}, expected ${expected}`);
    }
  }

  #breach(what: string): Error {
    return new Error(`seed ${this.#seed}: ${what}`);
  }

  /** One timer after the other; what it wakes comes to rest before the next. */
  async #pass(ms: number): Promise<void> {
    let isOver = false;
    this.#clock.after(ms, () => {
      isOver = true;
    });
    while (!isOver) {
      await new Promise<void>((resolve) => process.nextTick(resolve));
      this.#clock.fireNext();
    }
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
}
