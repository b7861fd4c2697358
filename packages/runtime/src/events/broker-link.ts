import type { Broker } from "../broker/broker.js";
import type { Logger } from "../log.js";
import type { Clock } from "../ports.js";

export interface Outage {
  /** Wall clock, ms since the epoch. */
  readonly since: number;
  readonly reason: string;
}

/** A broker as the relay speaks to it: opened at the first call, and known to be down from the first failure to the next answer. */
export class BrokerLink {
  readonly #broker: Broker;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #opening: Promise<void> | null = null;
  #outage: Outage | null = null;
  #failures = 0;

  constructor(broker: Broker, clock: Clock, logger: Logger) {
    this.#broker = broker;
    this.#clock = clock;
    this.#logger = logger;
  }

  get outage(): Outage | null {
    return this.#outage;
  }

  /** Grows with each call that failed: between two equal numbers nothing is known to have gone wrong. */
  get failures(): number {
    return this.#failures;
  }

  async call<Value>(call: (broker: Broker) => Promise<Value>): Promise<Value> {
    try {
      this.#opening ??= this.#broker.open();
      await this.#opening.catch((error: unknown) => {
        this.#opening = null;
        throw error;
      });
      const value = await call(this.#broker);
      if (this.#outage !== null) this.#logger.info({ broker: this.#broker.name }, "the broker answers again");
      this.#outage = null;
      return value;
    } catch (error) {
      this.#failures += 1;
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#outage === null)
        this.#logger.warn({ broker: this.#broker.name, error: reason }, "the broker does not answer; trying again");
      this.#outage = { since: this.#outage?.since ?? this.#clock.now(), reason };
      throw error;
    }
  }
}
