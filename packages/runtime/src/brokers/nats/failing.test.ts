import { freePort } from "@clean-arch/test-servers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { door, event, listen, publish, until } from "../../testing/broker/world.js";
import { brokerOf, nats, operatorOf, proxyTo } from "./throwaway.test.support.js";

const UNAVAILABLE = { code: "broker-unavailable" };

/** Publishes one message after the other until told to end, each again and again until it is stored; gives their ids. */
function keepPublishing(broker: ReturnType<typeof brokerOf>) {
  const stored: string[] = [];
  let goesOn = true;
  const ended = (async () => {
    for (let n = 0; goesOn; n += 1) {
      const batch = [0, 1, 2, 3].map((k) => event(`m${n}-${k}`, { key: `k${k}` }));
      await until(() =>
        publish(broker, ...batch).then(
          () => true,
          () => false,
        ),
      );
      stored.push(...batch.map(({ id }) => id));
    }
  })();
  return {
    stored,
    async end() {
      goesOn = false;
      await ended;
    },
  };
}

const answers = (call: () => Promise<unknown>) =>
  call().then(
    () => true,
    () => false,
  );

describe("NATS on bad days", () => {
  it("says at open that the server is down, and opens later", async () => {
    const port = await freePort();
    const broker = brokerOf(port);
    await expect(broker.open()).rejects.toMatchObject(UNAVAILABLE);
    await nats({ port });
    await broker.open();
    await publish(broker, event("a"));
  });

  it("loses nothing when the server is killed under load, and goes on by itself", async () => {
    const server = await nats();
    const broker = brokerOf(server.port);
    await broker.open();
    const listener = await listen(broker, { silenceMs: 500 });
    const publishing = keepPublishing(broker);
    for (let kills = 1; kills <= 3; kills += 1) {
      const seen = listener.handled.length;
      await until(() => listener.handled.length > seen + 20);
      await server.kill();
      expect(await answers(() => broker.ping())).toBe(false);
      await server.start();
    }
    const seen = listener.handled.length;
    await until(() => listener.handled.length > seen + 20);
    await publishing.end();
    await until(() => publishing.stored.every((id) => listener.handled.includes(id)));
    await until(async () => (await listener.subscriber.lag()) === 0);
  });

  it("connects again soon though the wall clock was set back by an hour", async () => {
    const server = await nats();
    const broker = brokerOf(server.port);
    await broker.open();
    const now = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() - 3_600_000);
    onTestFinished(() => clock.mockRestore());
    await server.kill();
    await server.start();
    await until(() => answers(() => broker.ping()));
  });

  it("leaves with a member what it handles while the server is restarted", async () => {
    const server = await nats();
    const broker = brokerOf(server.port);
    await broker.open();
    const wait = door();
    const listener = await listen(broker, { handle: () => wait.opened });
    await publish(broker, event("a"));
    await until(() => listener.running === 1);
    await server.stop();
    await server.start();
    await until(() => answers(() => broker.ping()));
    // It asks for messages again, so that it has looked at its group.
    await publish(broker, event("b"));
    await until(() => listener.running === 2);
    wait.open();
    await until(async () => (await listener.subscriber.lag()) === 0);
    expect(listener.deliveries.map(({ message, signal }) => [message.id, signal.aborted])).toEqual([
      ["a", false],
      ["b", false],
    ]);
  });

  it("fails at once while there is no connection, and works again when there is", async () => {
    const server = await nats();
    const broker = brokerOf(server.port, { callTimeoutMs: 60_000 });
    await broker.open();
    const [receipt = ""] = await publish(broker, event("a"));
    await server.kill();
    await until(async () => !(await answers(() => broker.ping())));
    // Not after a minute, which the test would not live to see.
    await expect(broker.publish([event("b")])).rejects.toMatchObject(UNAVAILABLE);
    await expect(broker.holds(receipt)).rejects.toMatchObject(UNAVAILABLE);
    await expect(listen(broker)).rejects.toMatchObject(UNAVAILABLE);
    await server.start();
    await until(() => answers(() => broker.ping()));
    expect(await broker.holds(receipt)).toBe(true);
  });

  it("tells what is under way that the connection broke, before its deadline", async () => {
    const server = await nats();
    const broker = brokerOf(server.port, { callTimeoutMs: 60_000, pingIntervalMs: 60_000 });
    await broker.open();
    server.pause();
    const refused = expect(broker.publish([event("a")])).rejects.toMatchObject(UNAVAILABLE);
    await server.kill();
    await refused;
  });

  it("gives calls up when the server stands still, and stores a message once that it published twice", async () => {
    const server = await nats();
    const broker = brokerOf(server.port, { callTimeoutMs: 200, pingIntervalMs: 60_000 });
    await broker.open();
    const listener = await listen(broker);
    server.pause();
    await expect(broker.publish([event("a")])).rejects.toMatchObject(UNAVAILABLE);
    await expect(broker.ping()).rejects.toMatchObject(UNAVAILABLE);
    server.resume();
    await until(() => answers(() => publish(broker, event("a"))));
    await until(() => answers(() => publish(broker, event("b"))));
    await until(() => listener.handled.includes("b"));
    expect(listener.ids().sort()).toEqual(["a", "b"]);
  });

  it("notices a half-open connection by its pings", async () => {
    const server = await nats();
    const proxy = await proxyTo(server);
    const broker = brokerOf(proxy.port);
    const elsewhere = brokerOf(server.port);
    await Promise.all([broker.open(), elsewhere.open()]);
    const listener = await listen(broker);
    proxy.silence();
    await publish(elsewhere, event("a"));
    // Nobody is told that the connection carries nothing; the next one does.
    await until(() => listener.handled.includes("a"));
    await publish(broker, event("b"));
    await until(() => listener.handled.includes("b"));
  });

  it("has a message again whose acknowledgment was lost", async () => {
    const server = await nats();
    const proxy = await proxyTo(server);
    const broker = brokerOf(proxy.port);
    const elsewhere = brokerOf(server.port);
    await Promise.all([broker.open(), elsewhere.open()]);
    const attempts: number[] = [];
    const listener = await listen(broker, {
      silenceMs: 400,
      async handle({ attempt }) {
        attempts.push(attempt);
        // What is said from here on is lost with the connection.
        if (attempt === 1) proxy.silence();
      },
    });
    await publish(elsewhere, event("a"));
    await until(() => attempts.length === 2);
    await until(async () => (await listener.subscriber.lag().catch(() => 1)) === 0);
    // The server may have given it to the dead connection once more.
    expect([attempts.length, (attempts[1] ?? 0) > 1]).toEqual([2, true]);
  });

  it("has a message stored once when the answer to its publishing was lost", async () => {
    const server = await nats();
    const proxy = await proxyTo(server);
    const broker = brokerOf(proxy.port);
    const elsewhere = brokerOf(server.port);
    await Promise.all([broker.open(), elsewhere.open()]);
    const listener = await listen(elsewhere);
    proxy.swallow({ request: (chunk) => chunk.includes("Nats-Msg-Id") });
    await expect(broker.publish([event("a", { key: "k" })])).rejects.toMatchObject(UNAVAILABLE);
    await until(() => answers(() => publish(broker, event("a", { key: "k" }), event("b", { key: "k" }))));
    await until(() => listener.handled.includes("b"));
    expect(proxy.counts.swallowed).toBe(1);
    expect(listener.ids()).toEqual(["a", "b"]);
  });

  it("rejects what the server does not take, and says at open that it takes little", async () => {
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => void warnings.push(text) };
    const server = await nats({ config: "max_payload: 65536" });
    const broker = brokerOf(server.port, { logger });
    await broker.open();
    expect(warnings).toEqual([
      expect.stringContaining("raise max_payload"),
      expect.stringContaining("acknowledges before it flushes"),
    ]);
    const results = await broker.publish([event("large", { body: "x".repeat(65_536) }), event("a")]);
    expect(results).toMatchObject([{ kind: "rejected", reason: expect.stringContaining("65536") }, { kind: "stored" }]);
    await broker.ping();
  });
});

describe("a NATS that does not fit", () => {
  it("is told so without JetStream", async () => {
    const server = await nats({ jetstream: false });
    await expect(brokerOf(server.port).open()).rejects.toMatchObject({
      code: "broker-incompatible",
      message: expect.stringContaining("--jetstream"),
    });
  });

  it("is told so when it cannot have the stream as wanted", async () => {
    const server = await nats();
    const { connection, jsm } = await operatorOf(server.port);
    await jsm.streams.add({ name: "queue", subjects: ["q.>"], retention: "workqueue" });
    await connection.close();
    const incompatible = { code: "broker-incompatible" };
    await expect(brokerOf(server.port, { replicas: 3 }).open()).rejects.toMatchObject(incompatible);
    await expect(brokerOf(server.port, { stream: "queue", prefix: "q" }).open()).rejects.toMatchObject(incompatible);
    await expect(brokerOf(server.port, { prefix: "q" }).open()).rejects.toMatchObject(incompatible);
    await expect(brokerOf(server.port, { maxBytes: 2 ** 52 }).open()).rejects.toMatchObject(incompatible);
  });

  it("has the stream's settings changed to those given, and keeps the messages", async () => {
    const server = await nats();
    const first = brokerOf(server.port);
    await first.open();
    const [receipt = ""] = await publish(first, event("a"));
    const second = brokerOf(server.port, { maxAgeMs: 3_600_000, maxBytes: 10_000_000, duplicateWindowMs: 60_000 });
    await second.open();
    expect(await second.holds(receipt)).toBe(true);
    const { connection, jsm } = await operatorOf(server.port);
    const { config } = await jsm.streams.info("clean-arch");
    await connection.close();
    expect(config).toMatchObject({ max_age: 3_600e9, max_bytes: 10_000_000, duplicate_window: 60e9, storage: "file" });
  });

  it("lets in the user who gives the password, and no other", async () => {
    const server = await nats({ config: 'authorization { user: "ours", password: "secret word" }' });
    const broker = brokerOf(server.port, { user: "ours", password: "secret word" });
    await broker.open();
    await publish(broker, event("a"));
    const refusal = await brokerOf(server.port, { user: "ours", password: "another word" })
      .open()
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "broker-incompatible" });
    expect(String(refusal)).not.toContain("another word");
    const withToken = await nats({ config: 'authorization { token: "t0ken" }' });
    const other = brokerOf(withToken.port, { token: "t0ken" });
    await other.open();
  });
});
