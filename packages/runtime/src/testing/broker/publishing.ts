import { expect } from "vitest";
import { MAX_EVENT_BYTES } from "../../broker/event-message.js";
import { event, listen, publish, settled, type Test, until } from "./world.js";

export function publishing(test: Test): void {
  test("a message arrives as it was published", async ({ broker, other }) => {
    const listener = await listen(other);
    const messages = [
      event("a", { key: "  two spaces ", body: '{"text":"é \\u0000 \u{1f600}"}' }),
      event("b!~\"'", { key: "line\nbreak: \u{1f600}\ttab", subject: "order.a-b_C.1" }),
      event("c", { key: "k".repeat(256), body: "" }),
    ];
    await publish(broker, ...messages);
    await until(() => listener.handled.length === 3);
    const arrived = listener.deliveries.map(({ message }) => message);
    expect(arrived.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(messages);
  });

  test("the largest message arrives", async ({ broker, other }) => {
    const listener = await listen(other);
    const body = "x".repeat(MAX_EVENT_BYTES);
    await publish(broker, event("a", { body }));
    await until(() => listener.handled.length === 1);
    expect(listener.deliveries[0]?.message.body.length).toBe(MAX_EVENT_BYTES);
  });

  test("each message gets its own result, and a bad one fails no other", async ({ broker, other }) => {
    const listener = await listen(other);
    const results = await broker.publish([
      event("a"),
      event("no subject", { subject: "order created" }),
      event("b"),
      event("large", { body: "x".repeat(2 * MAX_EVENT_BYTES) }),
      event("c"),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["stored", "rejected", "stored", "rejected", "stored"]);
    expect(results[1]).toMatchObject({ reason: expect.stringContaining("expected") });
    expect(results[3]).toMatchObject({ reason: expect.stringContaining(`${MAX_EVENT_BYTES}`) });
    await until(() => listener.handled.length === 3);
    expect(listener.ids().sort()).toEqual(["a", "b", "c"]);
    expect(await broker.publish([])).toEqual([]);
  });

  test("an id that was published before is stored once, whoever publishes it", async (world) => {
    const { broker, other } = world;
    const listener = await listen(broker);
    await publish(broker, event("a", { key: "k" }));
    await publish(broker, event("a", { key: "k" }), event("b", { key: "k" }));
    await publish(other, event("a", { key: "k" }), event("b", { key: "k" }));
    await settled(world, "k", listener);
    expect(listener.ids().slice(0, -1)).toEqual(["a", "b"]);
  });

  test("messages of one key arrive in the order in which they were published", async ({ broker, other }) => {
    const listener = await listen(other);
    const keys = ["a", "b", "c", "d", "e"];
    for (let round = 0; round < 4; round += 1) {
      const numbers = [0, 1, 2, 3, 4].map((n) => round * 5 + n);
      await publish(broker, ...numbers.flatMap((n) => keys.map((key) => event(`${key}${n}`, { key }))));
    }
    await until(() => listener.handled.length === 100);
    const expected = Array.from({ length: 20 }, (_, n) => n);
    for (const key of keys) {
      const came = listener.deliveries.filter(({ message }) => message.key === key).map(({ message }) => message.id);
      expect(came).toEqual(expected.map((n) => `${key}${n}`));
    }
  });

  test("what a receipt stands for is held, also when it was handled", async (world) => {
    const { broker, other } = world;
    const listener = await listen(other);
    const [first = "", second = ""] = await publish(broker, event("a"), event("b"));
    expect([await broker.holds(first), await other.holds(second)]).toEqual([true, true]);
    await settled(world, "k", listener);
    expect(await broker.holds(first)).toBe(true);
    // Published again it is the same message.
    const [again = ""] = await publish(broker, event("a"));
    expect(await broker.holds(again)).toBe(true);
  });

  test("what was lost is not held, and can be published again", async ({ broker, other, lose, skip }) => {
    if (lose === undefined) return skip("nothing of what it keeps messages in can be lost");
    const listener = await listen(other);
    const [receipt = ""] = await publish(broker, event("a"));
    await until(() => listener.handled.length === 1);
    await lose();
    expect(await broker.holds(receipt)).toBe(false);
    const [again = ""] = await publish(broker, event("a"));
    expect(await broker.holds(again)).toBe(true);
    await until(() => listener.handled.length === 2);
    expect(listener.ids()).toEqual(["a", "a"]);
  });
}
