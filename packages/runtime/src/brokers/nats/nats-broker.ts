import type { Broker, PublishResult, Subscriber, Subscription } from "../../broker/broker.js";
import { checkPattern, type EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type NatsBrokerOptions, type NatsSettings, settingsOf } from "./broker-options.js";
import { Connection } from "./connection.js";
import { checkSubjects, type GroupPlace, openConsumer } from "./group-consumer.js";
import { knownOf } from "./group-look.js";
import { Member, silenceOf } from "./member.js";
import { publishAll } from "./publish.js";
import { holdingOf } from "./receipt.js";
import { checkServer } from "./server-check.js";
import { openStream } from "./stream.js";

const GROUP = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_CONCURRENCY = 1_000;
const LEAST_SILENCE_MS = 100;

/**
 * Events in a JetStream stream of a NATS server, 2.9 or newer ([decision 0033](../../../../../docs/decisions/0033-a-group-is-one-consumer.md)).
 * It needs the packages `@nats-io/transport-node` and `@nats-io/jetstream`. Error: `config-invalid`.
 */
export function createNatsBroker(options: NatsBrokerOptions): Broker {
  return new NatsBroker(settingsOf(options));
}

class NatsBroker implements Broker {
  readonly name = "nats";
  readonly #settings: NatsSettings;
  readonly #members = new Set<Member>();
  #connection: Connection | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** When the stream was made, as far as known. Receipts with an older time say that it is gone, and their messages are published again. */
  #created = "";
  #remaking: Promise<void> | undefined;

  constructor(settings: NatsSettings) {
    this.#settings = settings;
  }

  async open(): Promise<void> {
    await this.#closing;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    this.#closing ??= this.#close().finally(() => {
      this.#closing = undefined;
    });
    return this.#closing;
  }

  async ping(): Promise<void> {
    const connection = this.#connected();
    const { stream } = this.#settings;
    const info = await connection.call(() => connection.jsm.streams.info(stream));
    this.#created = info.created;
  }

  async publish(messages: readonly EventMessage[]): Promise<PublishResult[]> {
    const connection = this.#connected();
    const { prefix, callTimeoutMs: timeoutMs } = this.#settings;
    return connection.call(() =>
      publishAll(messages, {
        ...{ connection, prefix, timeoutMs },
        created: () => this.#created,
        remakeStream: () => this.#remakeStream(connection),
      }),
    );
  }

  async holds(receipt: string): Promise<boolean> {
    const connection = this.#connected();
    const holding = await connection.call(() => holdingOf(connection.jsm, this.#settings.stream, receipt));
    if (holding.created !== null) this.#created = holding.created;
    return holding.holds;
  }

  async subscribe(subscription: Subscription): Promise<Subscriber> {
    checkSubscription(subscription);
    const connection = this.#connected();
    const { generation } = connection;
    const { stream, prefix } = this.#settings;
    const { group, subjects, ephemeral = false } = subscription;
    const place: GroupPlace = { stream, prefix, group, subjects, silenceMs: silenceOf(subscription), ephemeral };
    const known = await connection.call(async () => {
      const made = await openStream(connection.jsm, this.#settings);
      return knownOf(made, await openConsumer(connection.jsm, place));
    });
    // It was closed meanwhile.
    this.#connected(connection);
    const member = new Member({
      ...{ connection, settings: this.#settings, subscription, place, known, generation },
      remakeStream: () => this.#remakeStream(connection),
      onStopped: (stopped) => void this.#members.delete(stopped),
    });
    this.#members.add(member);
    return member;
  }

  async #open(): Promise<void> {
    if (this.#connection !== undefined) return;
    const connection = await Connection.open(this.#settings);
    try {
      checkServer(connection.nc, this.#settings);
      const { created } = await connection.call(() => openStream(connection.jsm, this.#settings));
      this.#created = created;
    } catch (error) {
      await connection.close();
      throw error;
    }
    this.#connection = connection;
  }

  async #close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await Promise.all([...this.#members].map((member) => member.stop()));
    await connection?.close();
  }

  #connected(same?: Connection): Connection {
    const connection = this.#connection;
    if (connection !== undefined && (same ?? connection) === connection) return connection;
    const message = "expected an open broker, got one that is closed; call open() first";
    throw new RuntimeError("broker-unavailable", message, { sent: false });
  }

  /** Several who miss it at once make it once. */
  #remakeStream(connection: Connection): Promise<void> {
    this.#remaking ??= openStream(connection.jsm, this.#settings)
      .then(({ created }) => {
        this.#created = created;
      })
      .finally(() => {
        this.#remaking = undefined;
      });
    return this.#remaking;
  }
}

function checkSubscription({ group, subjects, concurrency, silenceMs }: Subscription): void {
  if (!GROUP.test(group)) refuse("group", "1 to 64 characters of A-Z, a-z, 0-9, _ and -", group);
  if (subjects.length === 0) refuse("subjects", "one or more", "none");
  for (const subject of subjects) checkPattern(subject);
  checkSubjects(subjects);
  if (concurrency !== undefined && !isWithin(concurrency, 1, MAX_CONCURRENCY))
    refuse("concurrency", `a whole number from 1 to ${MAX_CONCURRENCY}`, concurrency);
  if (silenceMs !== undefined && !isWithin(silenceMs, LEAST_SILENCE_MS, Number.MAX_SAFE_INTEGER))
    refuse("silenceMs", `a whole number of ms from ${LEAST_SILENCE_MS} on`, silenceMs);
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

function refuse(what: string, expected: string, got: string | number): never {
  const message = `expected the ${what} of a subscription to be ${expected}, got ${JSON.stringify(got)}`;
  throw new RuntimeError("input-invalid", message, { what });
}
