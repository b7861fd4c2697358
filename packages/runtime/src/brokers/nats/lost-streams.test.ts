import { describe, expect, it } from "vitest";
import type { Broker, Delivery } from "../../broker/broker.js";
import type { EventMessage } from "../../broker/event-message.js";
import { door, event, listen, publish, until, untilAborted } from "../../testing/broker/world.js";
import { brokerOf, nats, operatorOf, proxyTo } from "./throwaway.test.support.js";

const STREAM = "clean-arch";

async function opened(...options: Parameters<typeof nats>) {
  const server = await nats(...options);
  const broker = brokerOf(server.port);
  await broker.open();
  return { server, broker };
}

/** Again and again, until the server is back. */
const stored = (broker: Broker, ...messages: readonly EventMessage[]) =>
  until(() =>
    publish(broker, ...messages).then(
      () => true,
      () => false,
    ),
  );

const connected = (broker: Broker) =>
  until(() =>
    broker.ping().then(
      () => true,
      () => false,
    ),
  );

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => event(`m${from + n}`, { key: "k" }));
const ids = (from: number, to: number) => range(from, to).map(({ id }) => id);

describe("a group whose consumer is gone", () => {
  it("goes on near where it was", async () => {
    const { server, broker } = await opened();
    const listener = await listen(broker);
    await publish(broker, ...range(0, 50));
    await until(() => listener.handled.length === 50);
    const { connection, jsm } = await operatorOf(server.port);
    // The member has looked since.
    await until(async () => (await jsm.consumers.info(STREAM, "group")).ack_floor.stream_seq === 50);
    const looks = (await jsm.consumers.info(STREAM, "group")).num_waiting;
    expect(looks).toBe(1);
    await jsm.consumers.delete(STREAM, "group");
    await publish(broker, ...range(50, 60));
    await until(() => ids(50, 60).every((id) => listener.handled.includes(id)));
    expect((await jsm.consumers.info(STREAM, "group")).config.filter_subject).toBe("clean-arch.order.>");
    await connection.close();
  });

  it("begins with the oldest message when nobody was there to know its place", async () => {
    const { server, broker } = await opened();
    const first = await listen(broker);
    await publish(broker, ...range(0, 5));
    await until(() => first.handled.length === 5);
    await first.subscriber.stop();
    const { connection, jsm } = await operatorOf(server.port);
    await jsm.consumers.delete(STREAM, "group");
    await connection.close();
    const second = await listen(broker);
    await until(() => second.handled.length === 5);
    expect(second.handled).toEqual(ids(0, 5));
  });

  it("has what was under way again, from whoever made it anew", async () => {
    const { server, broker } = await opened();
    const other = brokerOf(server.port);
    await other.open();
    let calls = 0;
    const handle = async (delivery: Delivery): Promise<void> => {
      calls += 1;
      if (calls === 1) await untilAborted(delivery);
    };
    const one = await listen(broker, { handle });
    const two = await listen(other, { handle });
    await publish(broker, event("m0"));
    await until(() => one.running + two.running === 1);
    const { connection, jsm } = await operatorOf(server.port);
    await jsm.consumers.delete(STREAM, "group");
    await connection.close();
    await until(() => one.handled.length + two.handled.length === 2);
    await until(async () => (await one.subscriber.lag()) === 0);
  });
});

describe("a stream that lost messages", () => {
  it("is made anew when it was deleted, by those who publish and by those who read", async () => {
    const { server, broker } = await opened();
    const [receipt = ""] = await publish(broker, event("a"));
    const { connection, jsm } = await operatorOf(server.port);
    await jsm.streams.delete(STREAM);
    expect(await broker.holds(receipt)).toBe(false);
    const [again = ""] = await publish(broker, event("a"));
    expect([await broker.holds(again), await broker.holds(receipt)]).toEqual([true, false]);
    const listener = await listen(broker);
    await until(() => listener.handled.length === 1);
    await jsm.streams.delete(STREAM);
    await until(async () => (await jsm.streams.info(STREAM).catch(() => null)) !== null);
    await connection.close();
    await publish(broker, event("b"));
    await until(() => listener.handled.includes("b"));
  });

  it("does not hold what it lost, also when other messages have the place", async () => {
    const { server, broker } = await opened();
    const [kept = ""] = await publish(broker, event("a"));
    await server.stop();
    await server.keepStreams();
    await server.start();
    await stored(broker, event("b"));
    const [lost = ""] = await publish(broker, event("b"));
    await server.kill();
    await server.putBackStreams();
    await server.start();
    await connected(broker);
    expect([await broker.holds(kept), await broker.holds(lost)]).toEqual([true, false]);
    await publish(broker, event("c"));
    expect([await broker.holds(kept), await broker.holds(lost)]).toEqual([true, false]);
  });

  it("gives a group what is published after it went back to an older state", async () => {
    const { server, broker } = await opened();
    const listener = await listen(broker);
    await publish(broker, ...range(0, 10));
    await until(() => listener.handled.length === 10);
    await server.stop();
    await server.keepStreams();
    await server.start();
    await stored(broker, ...range(10, 20));
    await until(() => listener.handled.includes("m19"));
    await server.kill();
    await server.putBackStreams();
    await server.start();
    await stored(broker, event("new0", { key: "k" }), event("new1", { key: "k" }));
    await until(() => listener.handled.includes("new1"));
    expect(listener.handled).toContain("new0");
  });

  it("does not take what was handled of an older state for what has its place now", async () => {
    const { server, broker: other } = await opened();
    const proxy = await proxyTo(server);
    const broker = brokerOf(proxy.port);
    await broker.open();
    const wait = door();
    const one = await listen(broker, { handle: () => wait.opened });
    await server.stop();
    await server.keepStreams();
    await server.start();
    await connected(broker);
    await stored(other, event("lost"));
    await until(() => one.running === 1);
    // It comes back when the place is another message's, which somebody else was given.
    proxy.refuse(true);
    await server.kill();
    await server.putBackStreams();
    await server.start();
    await connected(other);
    const two = await listen(other, { handle: untilAborted });
    await stored(other, event("new"));
    await until(() => two.running === 1);
    wait.open();
    await until(() => one.handled.includes("lost"));
    proxy.calm();
    // Both ask for messages again: what is to be said of the old one was said.
    const { connection, jsm } = await operatorOf(server.port);
    await until(async () => (await jsm.consumers.info(STREAM, "group").catch(() => null))?.num_waiting === 2);
    await connection.close();
    await two.subscriber.stop(0);
    await until(() => one.handled.includes("new"));
  });

  it("does not hide messages from a group that stands behind its end", async () => {
    const { server, broker } = await opened();
    await publish(broker, ...range(0, 10));
    await server.stop();
    await server.keepStreams();
    await server.start();
    await stored(broker, ...range(10, 20));
    const member = await listen(broker);
    await until(() => member.handled.length === 20);
    await member.subscriber.stop();
    await server.stop();
    await server.putBackStreams(true);
    await server.start();
    await stored(broker, ...range(20, 25));
    const heir = await listen(broker);
    await until(() => ids(20, 25).every((id) => heir.handled.includes(id)));
  });
});
