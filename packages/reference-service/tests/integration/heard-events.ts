/** Listens to what the service publishes, over its own outbox: a group beside those of the service. */
import { type CloudEvent, createConsumer, createLocalBroker } from "@clean-arch/runtime";
import { createRunStore } from "../../src/infrastructure/session/run-store.js";
import type { TestService } from "./service.js";

export interface HeardEvents {
  /** In the order in which they came. */
  readonly events: readonly CloudEvent[];
  /** Resolves when so many have come. */
  heard(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function hearEvents({ settings }: TestService, subjects: readonly string[]): Promise<HeardEvents> {
  const store = createRunStore(settings);
  await store.open();
  if (store.events === undefined) throw new Error("expected a store of runs that keeps events");
  const events: CloudEvent[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const broker = createLocalBroker({ store: store.events, now: () => store.now(), pollMs: 50 });
  const handle = (event: CloudEvent): void => {
    events.push(event);
    for (const { count, resolve } of waiting) if (events.length >= count) resolve();
  };
  const consumer = createConsumer({ broker, store: store.events, group: "tests", subjects, handle });
  await broker.open();
  await consumer.start();
  return {
    events,
    heard: (count) =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
        if (events.length >= count) resolve();
      }),
    async close() {
      await consumer.stop();
      await broker.close();
      await store.close();
    },
  };
}
