import type { Delivery } from "../broker/broker.js";
import type { EventMessage } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import type { Logger } from "../log.js";
import { type Ports, sleep } from "../ports.js";
import type { EventStore } from "../store/event-store.js";
import { failureOf, HandlerTimeout, HandlingAborted } from "./attempt-failure.js";
import { type CloudEvent, readCloudEvent } from "./cloud-event.js";
import type { ConsumerCounts } from "./consumer-counts.js";
import { EventRefusal } from "./event-refusal.js";
import type { Inbox } from "./inbox.js";
import { retryDelayMs } from "./retry-delay.js";

export interface EventIntakeOptions {
  readonly store: Pick<EventStore, "park">;
  readonly inbox: Pick<Inbox<never>, "handle">;
  readonly group: string;
  readonly counts: ConsumerCounts;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly attempts: number;
  readonly knows: (event: CloudEvent) => boolean;
}

const STORE_BACKOFF = { initialDelayMs: 100, maxDelayMs: 5_000 };
/** An event that failed is parked at its last attempt. One that was given out so much more often took its process down, or was given up. */
const GIVEN_OUT_IN_VAIN = 2;

/**
 * What becomes of a message that a broker brings: it resolves, and the broker forgets the message, when it was handled, or parked; it rejects, and
 * the message comes again, when an attempt failed. While the store does not answer neither is known: it waits for it, as no attempt of the event's.
 */
export class EventIntake {
  readonly #options: EventIntakeOptions;

  constructor(options: EventIntakeOptions) {
    this.#options = options;
  }

  async take({ message, attempt, signal }: Delivery): Promise<void> {
    const { inbox, counts, attempts } = this.#options;
    let event: CloudEvent;
    try {
      event = this.read(message);
    } catch (error) {
      return this.#park(message, error, attempt, signal);
    }
    if (attempt > attempts * GIVEN_OUT_IN_VAIN) {
      const error = new EventRefusal(`given out ${attempt} times, and never answered`, "attempts-exhausted");
      return this.#park(message, error, attempt, signal);
    }
    try {
      const result = await this.#whenStoreAnswers(signal, (isAgain) =>
        inbox.handle({ id: message.id, event, attempt, signal, alone: isAgain || attempt > 1 }),
      );
      if (result === "handled") counts.handled += 1;
      else counts.duplicates += 1;
    } catch (error) {
      if (error instanceof HandlingAborted) throw error;
      counts.failed += 1;
      if (error instanceof HandlerTimeout) counts.timedOut += 1;
      if (!(error instanceof EventRefusal) && attempt < attempts) {
        this.#log(message, error, attempt);
        throw error;
      }
      await this.#park(message, error, attempt, signal);
    }
  }

  /** Errors: `event-invalid`, `event-unknown`. */
  read(message: EventMessage): CloudEvent {
    const event = readCloudEvent(message.body);
    if (this.#options.knows(event)) return event;
    const { type, dataschema = "none" } = event;
    const text = `expected a type and version that group ${this.#options.group} knows, got type ${type} with dataschema ${dataschema}; redrive it with a handler that knows it`;
    throw new RuntimeError("event-unknown", text, { type, dataschema });
  }

  notJoined(): RuntimeError {
    return new RuntimeError(
      "broker-unavailable",
      `expected a consumer of group ${this.#options.group} that has joined, got one that has not yet`,
    );
  }

  async #park(event: EventMessage, reason: unknown, attempts: number, signal: AbortSignal): Promise<void> {
    const { store, group, counts, logger } = this.#options;
    const error = failureOf(reason);
    await this.#whenStoreAnswers(signal, () => store.park({ group, event, error, attempts, parkedAt: 0 }));
    counts.parked += 1;
    logger.error(
      { group, event: event.id, subject: event.subject, attempts, error },
      "an event could not be handled; it is parked",
    );
  }

  async #whenStoreAnswers<Value>(signal: AbortSignal, call: (isAgain: boolean) => Promise<Value>): Promise<Value> {
    const { ports, logger, group } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        return await call(failures > 1);
      } catch (error) {
        if (!isTransient(error)) throw error;
        if (failures === 1)
          logger.warn({ group, error: String(error) }, "the store does not answer; events wait for it");
        await sleep(ports.clock, retryDelayMs(STORE_BACKOFF, failures, ports.random), signal);
        if (signal.aborted) throw new HandlingAborted("the event was given up while its store did not answer");
      }
    }
  }

  #log({ id, subject }: EventMessage, error: unknown, attempt: number): void {
    const { logger, group } = this.#options;
    logger.warn({ group, event: id, subject, attempt, error: failureOf(error) }, "an event failed; it comes again");
  }
}

/** `in-progress`: another process handled the event just now, which the next look at it shows. */
function isTransient(error: unknown): boolean {
  return error instanceof RuntimeError && (error.code === "store-unavailable" || error.code === "in-progress");
}
