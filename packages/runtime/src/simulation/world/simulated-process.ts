import type { Ports } from "../../ports.js";
import type { SagaManager } from "../../saga/manager.js";
import { createSagaManager, type SagaManagerOptions } from "../../saga/saga-manager.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import type { SeededRandom } from "../seeded-random.js";
import type { ProcessClock } from "./process-clock.js";

/** What became of a request to a process: null when no answer came in time. */
export type Asked<Value> = { readonly value: Value } | { readonly error: unknown } | null;

/** One process of the simulated world: a manager, its clock, and the way clients reach it. */
export class SimulatedProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly manager: SagaManager;
  readonly #world: ManualClock;
  readonly #random: SeededRandom;
  state: "opening" | "open" | "closing" | "closed" | "dead" = "opening";

  constructor(
    name: string,
    clock: ProcessClock,
    world: { readonly clock: ManualClock; readonly random: SeededRandom },
    options: Omit<SagaManagerOptions, "ports" | "label"> & { readonly ports: Ports },
  ) {
    this.name = name;
    this.clock = clock;
    this.#world = world.clock;
    this.#random = world.random;
    this.manager = createSagaManager({ ...options, label: name });
  }

  /** False: it did not come up, and is gone. */
  async open(): Promise<boolean> {
    const opened = await this.ask((manager) => manager.open(), null);
    if (opened !== null && "value" in opened) {
      if (this.state === "opening") this.state = "open";
      return true;
    }
    if (this.state === "opening") await this.close(0);
    return false;
  }

  /** `onClosed` is called at that moment. */
  async close(graceMs: number, onClosed: () => void = () => {}): Promise<void> {
    this.state = "closing";
    await this.ask(async (manager) => {
      await manager.close(graceMs);
      // What is still under way in the process comes to its end in this turn.
      this.#world.soon(onClosed);
    }, null);
    if (this.state === "closing") this.state = "closed";
  }

  crash(): void {
    this.state = "dead";
    this.clock.crash();
  }

  /** Sends a request and waits for its answer for up to `timeoutMs`; null: for as long as it takes. */
  ask<Value>(request: (manager: SagaManager) => Promise<Value>, timeoutMs: number | null): Promise<Asked<Value>> {
    return new Promise((resolve) => {
      if (timeoutMs !== null) this.#world.after(timeoutMs, () => resolve(null));
      const answer = (asked: Asked<Value>): void =>
        void this.#world.after(this.#random.below(10), () => resolve(asked));
      this.#world.after(this.#random.below(10), () =>
        this.clock.enter(() => {
          request(this.manager).then(
            (value) => answer({ value }),
            (error: unknown) => answer({ error }),
          );
        }),
      );
    });
  }
}
