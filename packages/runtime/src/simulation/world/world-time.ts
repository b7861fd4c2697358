import { systemPorts } from "../../ports.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { InvariantBroken } from "../invariant-broken.js";
import type { Breaches } from "./breaches.js";

/** Timers at one moment: more are a loop without a delay. */
const MAX_AT_ONCE = 20_000;

/** Lets the time of a simulated world pass, and raises what breaks in it meanwhile. */
export class WorldTime {
  readonly #clock: ManualClock;
  readonly #breaches: Breaches;

  constructor(clock: ManualClock, breaches: Breaches) {
    this.#clock = clock;
    this.#breaches = breaches;
  }

  /** One timer after the other, until `done`. */
  async pass(done: () => boolean, what: string): Promise<void> {
    let [now, atOnce] = [this.#clock.monotonic(), 0];
    // What the event loop has to do beside this, such as clearing away what nobody holds any more.
    await new Promise<void>((resolve) => systemPorts.clock.soon(resolve));
    for (;;) {
      // All that a timer woke runs before the next one: nothing here waits for the real world.
      // After its promises; a turn of the event loop for each timer would take a third of the whole time.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      this.#breaches.raise();
      if (done()) return;
      if (!this.#clock.fireNext()) throw new InvariantBroken(6, `expected ${what}, nothing happens any more`);
      atOnce = this.#clock.monotonic() === now ? atOnce + 1 : 0;
      now = this.#clock.monotonic();
      if (atOnce > MAX_AT_ONCE) throw new InvariantBroken(12, `expected ${what}, time stands still`);
    }
  }

  async until<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false;
    void promise.then(() => {
      settled = true;
    });
    await this.pass(() => settled, "an answer");
    return promise;
  }
}
