import { expect } from "vitest";
import { event, listen, publish, type Test, until } from "./world.js";

export function opening(test: Test): void {
  test("opens twice and closes twice without harm, and opens again", async ({ broker }) => {
    await Promise.all([broker.open(), broker.open()]);
    await broker.ping();
    await Promise.all([broker.close(), broker.close()]);
    await broker.close();
    await broker.open();
    await broker.ping();
    await publish(broker, event("a"));
  });

  test("calls on a closed broker are told that it is unavailable", async ({ broker }) => {
    const [receipt = ""] = await publish(broker, event("a"));
    await broker.close();
    const refused = { code: "broker-unavailable" };
    await expect(broker.ping()).rejects.toMatchObject(refused);
    await expect(broker.publish([event("b")])).rejects.toMatchObject(refused);
    await expect(broker.holds(receipt)).rejects.toMatchObject(refused);
    await expect(listen(broker)).rejects.toMatchObject(refused);
  });

  test("closing waits for what is handled, and then gives no more", async ({ broker, other }) => {
    let hasEnded = false;
    const listener = await listen(broker, {
      handle: async () => {
        await other.ping();
        hasEnded = true;
      },
    });
    await publish(other, event("a"));
    await until(() => listener.running > 0 || hasEnded);
    await broker.close();
    expect(hasEnded).toBe(true);
    await publish(other, event("b"));
    const next = await listen(other);
    await until(() => next.handled.includes("b"));
    expect(listener.ids()).toEqual(["a"]);
    expect(next.ids()).toEqual(["b"]);
  });
}
