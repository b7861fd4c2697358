import type { Broker, Subscription } from "@clean-arch/runtime";
import { expect, it } from "vitest";
import { tellingBroker } from "./telling-broker.js";

const message = { id: "event-1", subject: "shop.order.placed", key: "order-1", body: "{}" };
const delivery = { message, attempt: 1, signal: new AbortController().signal };

/** What a broker would call with each delivery, of a group whose handler is `handle`. */
async function subscribed(handle: Subscription["handle"], told: string[]): Promise<Subscription["handle"]> {
  let subscription: Subscription | undefined;
  const unasked = () => Promise.reject(new Error("not asked"));
  const broker: Broker = {
    ...{ name: "fake", open: unasked, close: unasked, ping: unasked, publish: unasked, holds: unasked },
    subscribe: (wanted) => {
      subscription = wanted;
      return Promise.resolve({ stop: () => Promise.resolve(), lag: () => Promise.resolve(0) });
    },
  };
  await tellingBroker(broker, (event) => told.push(event)).subscribe({ group: "g", subjects: [">"], handle });
  if (subscription === undefined) throw new Error("expected a subscription");
  return subscription.handle;
}

it("tells that an event is done with after it was handled, not before", async () => {
  const told: string[] = [];
  const handle = await subscribed(() => Promise.resolve(void told.push("committed")), told);
  await handle(delivery);
  expect(told).toEqual(["committed", "event-1"]);
});

it("says nothing of one that was not handled, and lets it come again", async () => {
  const told: string[] = [];
  const handle = await subscribed(() => Promise.reject(new Error("deadlock")), told);
  await expect(handle(delivery)).rejects.toThrow("deadlock");
  expect(told).toEqual([]);
});
