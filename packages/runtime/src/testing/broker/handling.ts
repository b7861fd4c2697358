import { expect } from "vitest";
import { systemPorts } from "../../ports.js";
import { door, event, listen, publish, type Test, until } from "./world.js";

export function handling(test: Test): void {
  test("those of one key are handled one after the other, those of others at the same time", async ({
    broker,
    other,
  }) => {
    const wait = door();
    const listener = await listen(other, { handle: () => wait.opened });
    const of = (key: string) => [1, 2, 3].map((n) => event(`${key}${n}`, { key }));
    await publish(broker, ...of("a"), ...of("b"));
    await until(() => listener.running === 2);
    expect(listener.ids().sort()).toEqual(["a1", "b1"]);
    wait.open();
    await until(() => listener.handled.length === 6);
    expect(listener.handled.filter((id) => id.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
    expect(listener.handled.filter((id) => id.startsWith("b"))).toEqual(["b1", "b2", "b3"]);
  });

  test("a member handles no more at once than it wants to", async ({ broker, other }) => {
    let most = 0;
    const listener = await listen(other, {
      concurrency: 3,
      async handle() {
        most = Math.max(most, listener.running);
        await broker.ping();
      },
    });
    await publish(broker, ...Array.from({ length: 30 }, (_, n) => event(`m${n}`)));
    await until(() => listener.handled.length === 30);
    expect(most).toBe(3);
  });

  test("a message that was not handled comes again, each time after its delay, with a larger attempt", async ({
    broker,
    other,
  }) => {
    const asked: number[] = [];
    const cameAt: number[] = [];
    const listener = await listen(other, {
      retryAfterMs(attempt) {
        asked.push(attempt);
        return attempt * 100;
      },
      async handle({ attempt }) {
        cameAt.push(systemPorts.clock.monotonic());
        if (attempt < 4) throw new Error("not yet");
      },
    });
    await publish(broker, event("a"));
    await until(() => listener.handled.length === 1);
    expect(listener.deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(asked).toEqual([1, 2, 3]);
    const waitedMs = cameAt.slice(1).map((at, n) => at - (cameAt[n] ?? 0));
    for (const [n, ms] of waitedMs.entries()) expect(ms).toBeGreaterThan((n + 1) * 100 - 20);
  });

  test("a handler that throws at once has rejected, and one without delays gets the usual ones", async ({
    broker,
    other,
  }) => {
    const attempts: number[] = [];
    await other.subscribe({
      group: "group",
      subjects: ["order.>"],
      handle({ attempt }) {
        attempts.push(attempt);
        if (attempt < 3) throw new Error("at once");
        return Promise.resolve();
      },
    });
    await publish(broker, event("a"));
    await until(() => attempts.length === 3);
    expect(attempts).toEqual([1, 2, 3]);
  });

  test("a message that nobody can handle holds up no other key, and none of its own", async ({ broker, other }) => {
    const listener = await listen(other, {
      concurrency: 1,
      handle: async ({ message }) => {
        if (message.id === "bad") throw new Error("never");
      },
    });
    await publish(broker, event("bad", { key: "k" }), event("a", { key: "k" }), event("b"), event("c"));
    await until(() => listener.handled.length === 3 && listener.ids().filter((id) => id === "bad").length >= 3);
    expect([...listener.handled].sort()).toEqual(["a", "b", "c"]);
  });
}
