import { type Nats, startNats } from "@clean-arch/test-servers";
import type { ConsumerInfo, JetStreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { event, listen, publish, until } from "../../testing/broker/world.js";
import { lookAtGroup } from "./group-look.js";
import { brokerOf, operatorOf, ownStream } from "./throwaway.test.support.js";

let server: Nats;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.remove());

async function pair() {
  const own = ownStream();
  const brokers = [brokerOf(server.port, own), brokerOf(server.port, own)] as const;
  await Promise.all(brokers.map((broker) => broker.open()));
  return { ...own, brokers };
}

describe("a group on JetStream", () => {
  it("passes on to newer members what older ones do not want, and by what nobody wants", async () => {
    const { brokers } = await pair();
    const [older, newer] = brokers;
    const first = await listen(older, { subjects: ["order.created", "order.paid"] });
    const second = await listen(newer, { subjects: ["order.created", "order.shipped"] });
    const subjects = ["order.shipped", "order.created", "order.other"];
    await publish(older, ...Array.from({ length: 30 }, (_, n) => event(`m${n}`, { subject: subjects[n % 3] ?? "" })));
    await until(() => first.handled.length + second.handled.length === 20);
    await until(async () => (await second.subscriber.lag()) === 0);
    const shipped = second.deliveries.filter(({ message }) => message.subject === "order.shipped");
    expect(shipped.length).toBe(10);
    expect(first.deliveries.every(({ message }) => message.subject === "order.created")).toBe(true);
  });

  it("is one durable consumer with explicit acknowledgments and a bound of what is out", async () => {
    const { brokers, stream, prefix } = await pair();
    for (const broker of brokers)
      await listen(broker, { subjects: ["order.created", "payment.taken"], silenceMs: 5_000 });
    const { connection, jsm } = await operatorOf(server.port);
    const consumers = await jsm.consumers.list(stream).next();
    await connection.close();
    expect(consumers.map(({ config }) => config)).toMatchObject([
      {
        ...{ durable_name: "group", filter_subject: `${prefix}.*.*`, ack_policy: "explicit", ack_wait: 5e9 },
        ...{ max_ack_pending: 10_000, deliver_policy: "all", max_deliver: -1 },
      },
    ]);
  });

  it("gives what others published to the stream a key and an id", async () => {
    const { brokers, stream, prefix } = await pair();
    const listener = await listen(brokers[0]);
    const { connection } = await operatorOf(server.port);
    connection.publish(`${prefix}.order.created`, "theirs");
    await until(() => listener.handled.length === 1);
    await connection.close();
    const theirs = { id: `${stream}:1`, key: "order.created", subject: "order.created", body: "theirs" };
    expect(listener.deliveries[0]?.message).toEqual(theirs);
  });

  it("is made anew from where it was when messages wait and nobody is given one", async () => {
    const done: unknown[] = [];
    const place = { stream: "s", prefix: "p", group: "g", subjects: ["a"], silenceMs: 1_000 };
    const info = {
      created: "2026-11-28T20:00:57.98Z",
      ack_floor: { stream_seq: 7 },
      delivered: { stream_seq: 7 },
      config: {},
    };
    const jsm = {
      streams: { info: async () => ({ created: "s1", state: { first_seq: 1, last_seq: 9 }, config: { name: "s" } }) },
      consumers: {
        info: async () => info,
        delete: async () => done.push("deleted"),
        add: async (_: string, { deliver_policy: from, opt_start_seq: sequence }: ConsumerInfo["config"]) => {
          done.push(from, sequence);
          return { ...info, created: "2026-11-28T20:01:57.98Z" };
        },
      },
    } as unknown as JetStreamManager;
    const known = { stream: "s1", consumer: "2026-11-28T20:00:57.98Z", handledUpTo: 7 };
    const options = { known, newest: null, remakeStream: async () => {} };
    expect(await lookAtGroup(jsm, place, { ...options, isStuck: false })).toMatchObject({ why: null, known });
    const look = await lookAtGroup(jsm, place, { ...options, isStuck: true });
    expect(look).toMatchObject({
      why: expect.stringContaining("waited"),
      known: { consumer: "2026-11-28T20:01:57.98Z" },
    });
    expect(done).toEqual(["deleted", "by_start_sequence", 8]);
  });
});

describe("the options of the broker", () => {
  it.each([
    [{ servers: [] }, "servers"],
    [{ servers: "nats://user:secret@host:4222" }, "servers"],
    [{ stream: "a.b" }, "stream"],
    [{ prefix: "a.>" }, "prefix"],
    [{ maxAgeMs: 1_000 }, "maxAgeMs"],
    [{ duplicateWindowMs: 10 }, "duplicateWindowMs"],
    [{ maxBytes: 0 }, "maxBytes"],
    [{ callTimeoutMs: 0.5 }, "callTimeoutMs"],
  ])("refuse %j", (options, option) => {
    const refusal = expect.objectContaining({ code: "config-invalid", details: { option } });
    let thrown: unknown;
    try {
      brokerOf(1, options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(refusal);
    expect(String(thrown)).not.toContain("secret");
  });
});
