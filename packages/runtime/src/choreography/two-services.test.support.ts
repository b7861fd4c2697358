import { onTestFinished } from "vitest";
import type { Broker } from "../broker/broker.js";
import { createLocalBroker } from "../brokers/local/index.js";
import { resolveConfig } from "../config.js";
import type { Duration } from "../duration.js";
import { BusinessRefusal } from "../errors.js";
import { saga } from "../saga/builder.js";
import type { StepCall } from "../saga/definition.js";
import type { SagaManager } from "../saga/manager.js";
import { createSagaManager, type SagaManagerOptions } from "../saga/saga-manager.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { defineEventParticipant, type EventParticipantOptions } from "./event-participant.js";

/** A broker for each process, over one outbox that is nobody's own. */
export async function inMemory(): Promise<() => Broker> {
  const store = createMemoryRunStore({ workers: "many" });
  await store.open();
  onTestFinished(() => store.close());
  const { events } = store;
  if (events === undefined) throw new Error("expected a store with events");
  return () => createLocalBroker({ store: events, now: () => store.now(), pollMs: 20 });
}

interface Order {
  /** The stage that says no. */
  readonly refuse?: string;
}

/**
 * An order service, and a shipping service that has the stage `ship` between the order service's own. Stores of their own, one
 * broker. What stages do, and undo, is noted in order.
 */
export class TwoServices {
  readonly log: string[] = [];
  /** What `ship` was given. */
  readonly outputs: unknown[] = [];
  /** What a stage waits for before its effect. */
  before: (stage: string) => Promise<void> | undefined = () => undefined;
  readonly #newBroker: () => Broker;
  readonly #worlds = { orders: createMemoryWorld(), shipping: createMemoryWorld() };

  constructor(newBroker: () => Broker) {
    this.#newBroker = newBroker;
  }

  stage(name: string) {
    return {
      run: async ({ input }: { readonly input: unknown }): Promise<{ by: string }> => {
        await this.before(name);
        if ((input as Order).refuse === name) throw new BusinessRefusal(`${name} says no`);
        this.log.push(name);
        return { by: name };
      },
      compensate: (): void => void this.log.push(`undo ${name}`),
    };
  }

  /** The service that has the saga's definition. */
  orders({
    timeout = "1h",
    store = (given) => given,
  }: {
    timeout?: Duration;
    store?: (given: RunStore) => RunStore;
  } = {}) {
    const definition = saga<Order>("order", { style: "choreography", timeout })
      .step("charge", this.stage("charge"))
      .step("ship", { performed: "elsewhere" })
      .step("notify", this.stage("notify"))
      .returns(({ ship }) => ship)
      .build();
    const own = store(createMemoryRunStore({ world: this.#worlds.orders }));
    return this.#open({ store: own, definitions: [definition], broker: this.#newBroker() });
  }

  /** The service that performs `ship`, and knows nothing but its events. */
  shipping(options: Partial<EventParticipantOptions> = {}): Promise<SagaManager> {
    const { run, compensate } = this.stage("ship");
    const ship = defineEventParticipant({
      ...{ saga: "order", stage: "ship", on: "order.charge.completed", compensatesOn: ["order.notify.compensated"] },
      run: (call: StepCall) => {
        this.outputs.push(structuredClone(call.outputs));
        return run(call);
      },
      compensate,
      ...options,
    });
    const store = createMemoryRunStore({ world: this.#worlds.shipping });
    const broker = this.#newBroker();
    return this.#open({ store, definitions: [], broker, eventParticipants: [ship], eventGroup: "shipping" });
  }

  async #open(options: Pick<SagaManagerOptions, "store" | "definitions"> & Partial<SagaManagerOptions>) {
    const config = resolveConfig({ recovery: { leaseMs: 2_000, initialDelayMs: 50 } });
    const manager = createSagaManager({ participants: {}, config, pollMs: 50, ...options });
    onTestFinished(() => manager.close(0));
    await manager.open();
    return manager;
  }
}
