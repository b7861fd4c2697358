import type { Broker, Delivery, Subscriber } from "../broker/broker.js";
import type { Logger } from "../log.js";
import { Reactions, type ReactionsOptions } from "./reactions.js";

export interface ChoreographyOptions extends ReactionsOptions {
  readonly broker: Broker;
  readonly logger: Logger;
}

/** All instances of a service are one group. */
const GROUP = "choreography";

/** Brings the events of choreographed sagas to the units of this service, and to the observer. */
export class Choreography {
  readonly #options: ChoreographyOptions;
  readonly #reactions: Reactions;
  #subscriber: Subscriber | undefined;

  constructor(options: ChoreographyOptions) {
    this.#options = options;
    this.#reactions = new Reactions(options);
  }

  async open(): Promise<void> {
    const { broker } = this.#options;
    await broker.open();
    this.#subscriber = await broker.subscribe({
      group: GROUP,
      subjects: [">"],
      handle: (delivery) => this.#handle(delivery),
    });
  }

  async #handle({ message, attempt }: Delivery): Promise<void> {
    try {
      await this.#reactions.handle(message);
    } catch (error) {
      const { id, subject } = message;
      // It comes again, and again: an outage is over some day, and a definition may be deployed later than its events come.
      this.#options.logger.warn(
        { id, subject, attempt, error: String(error) },
        "no reaction to an event; trying again",
      );
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#subscriber?.stop();
    await this.#options.broker.close();
  }
}
