import { expect } from "vitest";
import { door, event, listen, publish, settled, type Test, until, untilAborted } from "./world.js";

export function stopping(test: Test): void {
  test("stopping waits for what is handled, and it does not come again", async (world) => {
    const { broker, other } = world;
    const wait = door();
    const listener = await listen(other, { handle: () => wait.opened });
    await publish(broker, event("a"));
    await until(() => listener.running === 1);
    let hasStopped = false;
    const stopped = listener.subscriber.stop().then(() => {
      hasStopped = true;
    });
    const next = await listen(broker);
    await settled(world, "k", next);
    expect([hasStopped, listener.deliveries[0]?.signal.aborted]).toEqual([false, false]);
    wait.open();
    await stopped;
    await settled(world, "k", next);
    expect(listener.handled).toEqual(["a"]);
    expect(next.ids().filter((id) => id === "a")).toEqual([]);
  });

  test("what is still handled when the grace is over is aborted and comes again elsewhere", async ({
    broker,
    other,
  }) => {
    const listener = await listen(other, { handle: untilAborted });
    await publish(broker, event("a"));
    await until(() => listener.running === 1);
    const next = await listen(broker);
    await listener.subscriber.stop(20);
    expect(listener.deliveries[0]?.signal.aborted).toBe(true);
    await until(() => next.handled.length === 1);
    expect(next.deliveries[0]).toMatchObject({ attempt: 2, message: { id: "a" } });
  });

  test("what was not begun goes to others at once, and nothing new comes", async ({ broker, other }) => {
    const wait = door();
    const listener = await listen(other, { concurrency: 1, handle: () => wait.opened });
    const ids = ["a", "b", "c", "d", "e"];
    await publish(broker, ...ids.map((id) => event(id)));
    await until(() => listener.running === 1);
    const [begun = ""] = listener.ids();
    const stopped = listener.subscriber.stop();
    const next = await listen(broker);
    await until(() => next.handled.length === 4);
    wait.open();
    await stopped;
    expect(listener.ids()).toEqual([begun]);
    expect(next.ids().sort()).toEqual(ids.filter((id) => id !== begun));
  });

  test("stopping twice is stopping once", async ({ broker }) => {
    const { subscriber } = await listen(broker);
    await Promise.all([subscriber.stop(), subscriber.stop(0)]);
    await subscriber.stop();
  });
}
