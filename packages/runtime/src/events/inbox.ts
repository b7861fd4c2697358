import type { EventMessage } from "../broker/event-message.js";
import type { Clock } from "../ports.js";
import type { EventStore, EventTransaction } from "../store/event-store.js";
import { guardClient } from "../worker/guarded-client.js";
import { isCut } from "./attempt-failure.js";
import { boundedCall } from "./bounded-call.js";
import type { CloudEvent } from "./cloud-event.js";
import type { ConsumerCounts } from "./consumer-counts.js";
import { type EventHandler, type EventTransactionHandler, Published } from "./event-context.js";
import { HandlingBatches } from "./handling-batches.js";

const NEVER = new AbortController().signal;

/** One of the two. */
export type Handling<Client> =
  | { readonly kind: "handle"; readonly handler: EventHandler }
  | { readonly kind: "within"; readonly handler: EventTransactionHandler<Client> };

export interface InboxOptions<Client> {
  readonly store: Pick<EventStore, "begin" | "putWithin" | "batches">;
  readonly group: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly handling: Handling<Client>;
  /** Handled in one transaction, at most. */
  readonly batch: number;
  readonly counts: Pick<ConsumerCounts, "batches" | "batchesUndone">;
}

export interface HandlingAttempt {
  /** What the handling is known by: of one id, one is kept. */
  readonly id: string;
  readonly event: CloudEvent;
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** In a transaction of its own: it has failed before, or may be what others would wait for. */
  readonly alone: boolean;
}

/**
 * Handles an event once: that it was handled is kept in the transaction of its effect, or right after an effect that lies elsewhere, with
 * the events that it published.
 */
export class Inbox<Client> {
  readonly #options: InboxOptions<Client>;
  /** Undefined: each event has a transaction of its own. */
  readonly #batches: HandlingBatches | undefined;

  constructor(options: InboxOptions<Client>) {
    this.#options = options;
    const { store, group, clock, batch: most, counts } = options;
    const { batches } = store;
    if (batches !== undefined && most > 1)
      this.#batches = new HandlingBatches({ batches, store, group, clock, most, counts });
  }

  /** `duplicate`: it was handled before, the handler is not called. Throws what the attempt failed with; then nothing of it is kept. */
  handle(attempt: HandlingAttempt): Promise<"handled" | "duplicate"> {
    const { handling } = this.#options;
    if (handling.kind === "handle") return this.#before(handling.handler, attempt);
    const { handler } = handling;
    const { id, signal } = attempt;
    const alone = () => this.#within(handler, attempt);
    if (this.#batches === undefined || attempt.alone) return alone();
    const within = (client: unknown, mostMs: number) => this.#callInBatch(handler, attempt, client, mostMs);
    return this.#batches.handle({ id, signal, within, alone });
  }

  async #within(handler: EventTransactionHandler<Client>, attempt: HandlingAttempt): Promise<"handled" | "duplicate"> {
    const transaction = await this.#begin(attempt.id);
    if (transaction === "handled") return "duplicate";
    const published = new Published();
    try {
      const call = this.#call(handler, attempt, transaction.client, published);
      // Nothing is awaited that need not be: a database whose calls are synchronous commits in this turn, or not at all.
      if (call !== undefined) await call;
    } catch (error) {
      const undone = transaction.rollback().catch(() => {});
      // A statement that hangs would hold up the event and its key here; who handles it next waits in `begin`.
      if (!isCut(error)) await undone;
      throw error;
    }
    return this.#commit(transaction, published.end());
  }

  async #callInBatch(
    handler: EventTransactionHandler<Client>,
    attempt: HandlingAttempt,
    client: unknown,
    mostMs: number,
  ): Promise<readonly EventMessage[]> {
    const published = new Published();
    await this.#call(handler, attempt, client, published, mostMs);
    return published.end();
  }

  /** Afterwards the handler can use neither the client nor, when it has failed, `publish`. */
  #call(
    handler: EventTransactionHandler<Client>,
    attempt: HandlingAttempt,
    open: unknown,
    published: Published,
    mostMs = Number.POSITIVE_INFINITY,
  ): Promise<void> | undefined {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const guarded = guardClient(open);
    const end = (hasFailed: boolean): void => {
      guarded.end();
      if (hasFailed) published.end();
      this.#batches?.took(clock.monotonic() - startedAt);
    };
    try {
      // The type of the store's client is known to who chose the store, and said by the handler.
      const context = { attempt: attempt.attempt, publish: published.publish, client: guarded.client as Client };
      const call = boundedCall(
        (signal) => handler(attempt.event, { ...context, signal }),
        this.#bounds(attempt, mostMs),
      );
      if (call === undefined) end(false);
      return call?.then(
        () => end(false),
        (error: unknown) => {
          end(true);
          throw error;
        },
      );
    } catch (error) {
      end(true);
      throw error;
    }
  }

  async #before(handler: EventHandler, attempt: HandlingAttempt): Promise<"handled" | "duplicate"> {
    if (await this.#isHandled(attempt)) return "duplicate";
    const published = new Published();
    try {
      const context = { attempt: attempt.attempt, publish: published.publish };
      await boundedCall((signal) => handler(attempt.event, { ...context, signal }), this.#bounds(attempt));
    } finally {
      published.end();
    }
    const events = published.end();
    const alone = () => this.#keep(attempt.id, events);
    if (this.#batches === undefined || attempt.alone) return alone();
    // Its effect has happened, whoever gives the event up.
    return this.#batches.handle({ id: attempt.id, signal: NEVER, within: async () => events, alone });
  }

  async #isHandled({ id, alone }: HandlingAttempt): Promise<boolean> {
    const { group, store } = this.#options;
    if (this.#batches !== undefined && !alone) return (await store.batches?.isHandled(group, id)) ?? false;
    const seen = await this.#begin(id);
    if (seen === "handled") return true;
    await seen.rollback();
    return false;
  }

  async #keep(id: string, events: readonly EventMessage[]): Promise<"handled" | "duplicate"> {
    const transaction = await this.#begin(id);
    // Another process was as fast.
    return transaction === "handled" ? "duplicate" : this.#commit(transaction, events);
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

  #bounds({ signal }: HandlingAttempt, mostMs = Number.POSITIVE_INFINITY) {
    const { clock, timeoutMs } = this.#options;
    return { clock, timeoutMs: Math.min(timeoutMs, mostMs), signal };
  }
}
