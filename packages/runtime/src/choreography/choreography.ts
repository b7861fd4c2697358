import type { Broker, Subscriber } from "../broker/broker.js";
import { Reactions, type ReactionsOptions } from "./reactions.js";

export interface ChoreographyOptions extends ReactionsOptions {
  readonly broker: Broker;
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
      handle: ({ message }) => this.#reactions.handle(message),
    });
  }

  async close(): Promise<void> {
    await this.#subscriber?.stop();
    await this.#options.broker.close();
  }
}
