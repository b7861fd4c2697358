import type { Broker, PublishResult, Subscriber, Subscription } from "../broker/broker.js";
import type { EventMessage } from "../broker/event-message.js";
import type { Clock } from "../ports.js";

const AGAIN_MS = 200;

/** Brings events at once, one after the other, but for those of a subject that is held: they come when they are let go, however late. */
export class HeldBroker implements Broker {
  readonly name = "held";
  readonly #clock: Clock;
  readonly #held = new Map<string, EventMessage[]>();
  #handle: Subscription["handle"] | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hold(subject: string): void {
    this.#held.set(subject, []);
  }

  letGo(subject: string): void {
    const held = this.#held.get(subject) ?? [];
    this.#held.delete(subject);
    for (const message of held) this.bring(message);
  }

  bring(message: EventMessage): void {
    const held = this.#held.get(message.subject);
    if (held !== undefined) held.push(message);
    else this.#last = this.#last.then(() => this.#untilHandled(message, 1));
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}
  async ping(): Promise<void> {}

  async publish(messages: readonly EventMessage[]): Promise<PublishResult[]> {
    for (const message of messages) this.bring(message);
    return messages.map(({ id }) => ({ kind: "stored", receipt: id }));
  }

  async holds(): Promise<boolean> {
    return true;
  }

  async subscribe({ handle }: Subscription): Promise<Subscriber> {
    this.#handle = handle;
    return { stop: async () => {}, lag: async () => 0 };
  }

  async #untilHandled(message: EventMessage, attempt: number): Promise<void> {
    try {
      await this.#handle?.({ message, attempt, signal: new AbortController().signal });
    } catch {
      await new Promise<void>((resolve) => this.#clock.after(AGAIN_MS, resolve));
      await this.#untilHandled(message, attempt + 1);
    }
  }
}
