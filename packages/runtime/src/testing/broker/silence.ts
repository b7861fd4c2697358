import { expect } from "vitest";
import { door, event, listen, publish, SILENCE_MS, type Test, until, untilAborted } from "./world.js";

export function silence(test: Test): void {
  test("the messages of a member that died are given to another", async ({ broker, other, crashOther }) => {
    const dead = await listen(other, { silenceMs: SILENCE_MS, handle: untilAborted });
    await publish(broker, event("a", { key: "k" }), event("b", { key: "k" }), event("c"));
    await until(() => dead.running === 2);
    await crashOther();
    const heir = await listen(broker, { silenceMs: SILENCE_MS });
    await until(() => ["a", "b", "c"].every((id) => heir.handled.includes(id)));
    expect(heir.deliveries.find(({ message }) => message.id === "a")?.attempt).toBeGreaterThan(1);
    // It has noticed that it is alone, and what it handles is told so.
    await until(() => dead.deliveries.every(({ signal }) => signal.aborted));
  });

  test("a member that handles for long is not silent", async ({ broker, other }) => {
    const wait = door();
    const slow = await listen(other, {
      silenceMs: SILENCE_MS,
      handle: ({ message }) => (message.id === "slow" ? wait.opened : Promise.resolve()),
    });
    await publish(broker, event("slow", { key: "k" }), event("behind", { key: "k" }));
    await until(() => slow.running === 1);
    // Another message passes the time: it comes again until three times the silence is over.
    const clock = await listen(broker, {
      group: "clock",
      retryAfterMs: () => SILENCE_MS / 4,
      handle: ({ message, attempt }) =>
        message.id === "slow" && attempt <= 12 ? Promise.reject(new Error("not yet")) : Promise.resolve(),
    });
    const second = await listen(broker, { silenceMs: SILENCE_MS });
    await until(() => clock.handled.includes("slow"));
    expect(slow.deliveries.map(({ message, signal }) => [message.id, signal.aborted])).toEqual([["slow", false]]);
    expect(second.ids()).toEqual([]);
    wait.open();
    await until(() => slow.handled.length + second.handled.length === 2);
    expect(slow.ids()).toEqual(["slow", "behind"]);
  });
}
