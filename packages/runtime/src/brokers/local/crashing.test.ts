import { expect, it } from "vitest";
import type { Delivery } from "../../broker/broker.js";
import { event, eventBench } from "../../events/event-bench.test.support.js";
import type { EventStore } from "../../store/event-store.js";
import { createLocalBroker } from "./local-broker.js";

const SILENCE_MS = 6_000;

/** Processes on one database, one after the other. */
async function lives() {
  const bench = await eventBench();
  const live = async (handle: (delivery: Delivery, die: () => void) => Promise<void>) => {
    let isDead = false;
    const alive = <Args extends unknown[], Value>(call: (...args: Args) => Promise<Value>) => {
      return (...args: Args): Promise<Value> => (isDead ? new Promise<Value>(() => {}) : call(...args));
    };
    const { events, now } = await bench.openStore();
    const store: EventStore = {
      ...events,
      lease: alive(events.lease),
      read: alive(events.read),
      advance: alive(events.advance),
    };
    const broker = createLocalBroker({ store, now, ports: bench.ports });
    await broker.open();
    const die = (): void => {
      isDead = true;
    };
    await broker.subscribe({
      ...{ group: "billing", subjects: [">"], silenceMs: SILENCE_MS, retryAfterMs: () => 100 },
      handle: (delivery) => (isDead ? new Promise(() => {}) : handle(delivery, die)),
    });
    await bench.settle();
    return broker;
  };
  return { ...bench, live };
}

it("counts an event that takes its process down each time, and blames what waits beside it for one crash at most", async () => {
  const { events, live, pass } = await lives();
  await events.put([event(1), event(2)]);
  const attempts: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    await live(({ attempt }, die) => {
      attempts.push(attempt);
      die();
      return new Promise(() => {});
    });
    await pass(2 * SILENCE_MS);
  }
  expect(attempts).toEqual([1, 2, 3, 4, 5]);
  const handled: [string, number][] = [];
  const broker = await live(async ({ message, attempt }) => void handled.push([message.id, attempt]));
  await pass(SILENCE_MS);
  expect(handled).toEqual([
    ["event-1", 6],
    ["event-2", 2],
  ]);
  await broker.close();
});

it("goes on after a restart where it was, with the attempts of what had failed", async () => {
  const { events, live, pass } = await lives();
  await events.put([event(1), event(2), event(3)]);
  const first: [string, number][] = [];
  const broker = await live(async ({ message, attempt }) => {
    first.push([message.id, attempt]);
    if (message.id === "event-2") throw new Error("not yet");
  });
  await pass(250);
  await broker.close();
  expect(first).toEqual([
    ["event-1", 1],
    ["event-2", 1],
    ["event-3", 1],
    ["event-2", 2],
    ["event-2", 3],
  ]);
  const second: [string, number][] = [];
  const next = await live(async ({ message, attempt }) => void second.push([message.id, attempt]));
  await pass(1_000);
  // What was done above the one that was not comes again, as its first attempt.
  expect(second).toEqual([
    ["event-2", 4],
    ["event-3", 1],
  ]);
  await next.close();
});
