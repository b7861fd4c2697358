import type { EventMessage } from "../broker/event-message.js";
import type { Clock } from "../ports.js";
import type { EventStore, EventTransaction } from "../store/event-store.js";
import { guardClient } from "../worker/guarded-client.js";
import { isCut } from "./attempt-failure.js";
import { boundedCall } from "./bounded-call.js";
import type { CloudEvent } from "./cloud-event.js";
import { type EventHandler, type EventTransactionHandler, Published } from "./event-context.js";

/** One of the two. */
export type Handling<Client> =
  | { readonly kind: "handle"; readonly handler: EventHandler }
  | { readonly kind: "within"; readonly handler: EventTransactionHandler<Client> };

export interface InboxOptions<Client> {
  readonly store: Pick<EventStore, "begin" | "putWithin">;
  readonly group: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly handling: Handling<Client>;
}

export interface HandlingAttempt {
  /** What the handling is known by: of one id, one is kept. */
  readonly id: string;
  readonly event: CloudEvent;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/**
 * Handles an event once: that it was handled is kept in the transaction of its effect, or right after an effect that lies elsewhere, with
 * the events that it published.
 */
export class Inbox<Client> {
  readonly #options: InboxOptions<Client>;

  constructor(options: InboxOptions<Client>) {
    this.#options = options;
  }

  /** `duplicate`: it was handled before, the handler is not called. Throws what the attempt failed with; then nothing of it is kept. */
  handle(attempt: HandlingAttempt): Promise<"handled" | "duplicate"> {
    const { handling } = this.#options;
    return handling.kind === "within"
      ? this.#within(handling.handler, attempt)
      : this.#before(handling.handler, attempt);
  }

  async #within(handler: EventTransactionHandler<Client>, attempt: HandlingAttempt): Promise<"handled" | "duplicate"> {
    const transaction = await this.#begin(attempt.id);
    if (transaction === "handled") return "duplicate";
    const published = new Published();
    try {
      const guarded = guardClient(transaction.client);
      try {
        // The type of the store's client is known to who chose the store, and said by the handler.
        const context = { attempt: attempt.attempt, publish: published.publish, client: guarded.client as Client };
        const call = boundedCall((signal) => handler(attempt.event, { ...context, signal }), this.#bounds(attempt));
        // Nothing is awaited that need not be: a database whose calls are synchronous commits in this turn, or not at all.
        if (call !== undefined) await call;
      } finally {
        guarded.end();
      }
    } catch (error) {
      published.end();
      const undone = transaction.rollback().catch(() => {});
      // A statement that hangs would hold up the event and its key here; who handles it next waits in `begin`.
      if (!isCut(error)) await undone;
      throw error;
    }
    return this.#commit(transaction, published.end());
  }

  async #before(handler: EventHandler, attempt: HandlingAttempt): Promise<"handled" | "duplicate"> {
    const seen = await this.#begin(attempt.id);
    if (seen === "handled") return "duplicate";
    await seen.rollback();
    const published = new Published();
    try {
      const context = { attempt: attempt.attempt, publish: published.publish };
      await boundedCall((signal) => handler(attempt.event, { ...context, signal }), this.#bounds(attempt));
    } finally {
      published.end();
    }
    const transaction = await this.#begin(attempt.id);
    // Another process was as fast.
    return transaction === "handled" ? "duplicate" : this.#commit(transaction, published.end());
  }

  async #commit(transaction: EventTransaction, events: readonly EventMessage[]): Promise<"handled"> {
    try {
      if (events.length > 0) {
        const put = this.#options.store.putWithin(transaction.client, events);
        if (put !== undefined) await put;
      }
      await transaction.commit();
      return "handled";
    } catch (error) {
      transaction.rollback().catch(() => {});
      throw error;
    }
  }

  #begin(id: string): Promise<EventTransaction | "handled"> {
    return this.#options.store.begin(this.#options.group, id);
  }

  #bounds({ signal }: HandlingAttempt) {
    const { clock, timeoutMs } = this.#options;
    return { clock, timeoutMs, signal };
  }
}
