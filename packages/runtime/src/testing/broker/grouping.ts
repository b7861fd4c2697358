import { expect } from "vitest";
import { door, event, listen, publish, settled, type Test, until } from "./world.js";

export function grouping(test: Test): void {
  test("a group begins with the oldest message kept", async ({ broker, other }) => {
    await publish(broker, event("a", { key: "k" }), event("b", { key: "k" }));
    const listener = await listen(other);
    await until(() => listener.handled.length === 2);
    expect(listener.ids()).toEqual(["a", "b"]);
    expect(listener.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  test("a group goes on where it was, after nobody was there", async ({ broker, other }) => {
    const first = await listen(other);
    await publish(broker, event("a", { key: "k" }));
    await until(() => first.handled.length === 1);
    await first.subscriber.stop();
    await publish(broker, event("b", { key: "k" }), event("c", { key: "k" }));
    const second = await listen(broker);
    await until(() => second.handled.length === 2);
    expect(second.ids()).toEqual(["b", "c"]);
    expect(first.ids()).toEqual(["a"]);
  });

  test("an ephemeral group is forgotten with its member", async (world) => {
    const { broker, other } = world;
    const first = await listen(other, { ephemeral: true });
    await publish(broker, event("a", { key: "k" }));
    await until(() => first.handled.length === 1);
    await first.subscriber.stop();
    const second = await listen(other);
    await settled(world, "k", second);
    expect(second.ids()[0]).toBe("a");
  });

  test("two groups each get everything", async ({ broker, other }) => {
    const one = await listen(broker, { group: "one" });
    const two = await listen(other, { group: "two" });
    await publish(broker, event("a"), event("b"), event("c"));
    await until(() => one.handled.length === 3 && two.handled.length === 3);
    expect([one.ids().sort(), two.ids().sort()]).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
  });

  test("two members share the messages of their group", async (world) => {
    const { broker, other } = world;
    const wait = door();
    const handle = () => wait.opened;
    const one = await listen(broker, { concurrency: 1, handle });
    const two = await listen(other, { concurrency: 1, handle });
    const ids = Array.from({ length: 40 }, (_, n) => `m${n}`);
    await publish(broker, ...ids.map((id) => event(id)));
    await until(() => one.running === 1 && two.running === 1);
    wait.open();
    await until(() => one.handled.length + two.handled.length === 40);
    expect([...one.ids(), ...two.ids()].sort()).toEqual(ids.sort());
  });

  test("a pattern's * is one word and its > the rest", async (world) => {
    const { broker, other } = world;
    const publishEach = async (...subjects: readonly string[]) =>
      publish(broker, ...subjects.map((subject) => event(subject, { subject, key: "k" })));
    const star = await listen(other, { group: "star", subjects: ["order.*.paid", "done"] });
    const rest = await listen(other, { group: "rest", subjects: ["order.>", "done"] });
    const all = await listen(other, { group: "all", subjects: [">"] });
    const subjects = ["order.a.paid", "order.paid", "order", "order.a.b.paid", "order.a.paid.b", "stock.a.paid"];
    await publishEach(...subjects, "done");
    for (const listener of [star, rest, all]) await until(() => listener.handled.includes("done"));
    expect(star.ids()).toEqual(["order.a.paid", "done"]);
    expect(rest.ids()).toEqual(["order.a.paid", "order.paid", "order.a.b.paid", "order.a.paid.b", "done"]);
    expect(all.ids()).toEqual([...subjects, "done"]);
  });

  test("a message of several of a group's subjects comes once", async (world) => {
    const { broker, other } = world;
    const subjects = ["order.>", "*.created", "order.created"];
    const one = await listen(broker, { subjects });
    const two = await listen(other, { subjects });
    await publish(broker, event("a"), event("b", { subject: "order.paid" }), event("c", { subject: "stock.created" }));
    await until(() => one.handled.length + two.handled.length === 3);
    await publish(broker, event("d"));
    await until(() => one.handled.length + two.handled.length === 4);
    expect([...one.ids(), ...two.ids()].sort()).toEqual(["a", "b", "c", "d"]);
  });

  test("events of one key with different subjects keep their order", async ({ broker, other }) => {
    const subjects = ["order.created", "payment.taken", "stock.taken"];
    const listener = await listen(other, { subjects });
    const messages = Array.from({ length: 30 }, (_, n) =>
      event(`m${n}`, { key: "k", subject: [...subjects, "unwanted"][n % 4] ?? "" }),
    );
    await publish(broker, ...messages);
    const wanted = messages.filter(({ subject }) => subject !== "unwanted").map(({ id }) => id);
    await until(() => listener.handled.length === wanted.length);
    expect(listener.ids()).toEqual(wanted);
  });

  test("lag counts what nobody has handled yet", async (world) => {
    const { broker, other } = world;
    const wait = door();
    const listener = await listen(other, { concurrency: 1, handle: () => wait.opened });
    expect(await listener.subscriber.lag()).toBe(0);
    await publish(broker, event("a"), event("b"), event("c"));
    await until(() => listener.running === 1);
    expect(await listener.subscriber.lag()).toBe(3);
    wait.open();
    await settled(world, "k", listener);
    await until(async () => (await listener.subscriber.lag()) === 0);
  });

  test("a name or a pattern that is none is refused", async ({ broker }) => {
    const refused = { code: "input-invalid" };
    await expect(listen(broker, { group: "a.b" })).rejects.toMatchObject(refused);
    await expect(listen(broker, { group: "" })).rejects.toMatchObject(refused);
    await expect(listen(broker, { group: "g".repeat(65) })).rejects.toMatchObject(refused);
    await expect(listen(broker, { subjects: [] })).rejects.toMatchObject(refused);
    await expect(listen(broker, { subjects: ["order.>.paid"] })).rejects.toMatchObject(refused);
    await expect(listen(broker, { subjects: ["order", "a b"] })).rejects.toMatchObject(refused);
    await expect(listen(broker, { concurrency: 0 })).rejects.toMatchObject(refused);
  });
}
