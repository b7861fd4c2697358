import { checkEvent, type EventMessage } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import type { CloudEvent } from "./cloud-event.js";

/** What a handler of events is given beside the event. */
export interface EventContext {
  /** From 1: which one of the attempts this is, at least. Twice the same where the first call was in a transaction with others that was undone. */
  readonly attempt: number;
  /** Aborted when the attempt has taken too long, the event has gone to another process, or this one stops and waits no longer. */
  readonly signal: AbortSignal;
  /**
   * Leaves by the outbox if and only if it is kept that this event was handled: events of an attempt that fails never do. At most 1,000.
   * Errors: as `checkEvent`; `overloaded`; `definition-invalid` after the attempt's end.
   */
  publish(events: readonly EventMessage[]): void;
}

/** `Client`: the store's own (`pg.PoolClient`, SQLite's `Database`), inside the transaction that says that the event was handled. */
export interface EventTransactionContext<Client> extends EventContext {
  readonly client: Client;
}

/**
 * The effect lies elsewhere, and may happen more than once for an event: a crash comes between it and its being kept. Give the event's id
 * along, for whoever is called to recognize it.
 */
export type EventHandler = (event: CloudEvent, context: EventContext) => unknown;

/**
 * The effect lies in the store's database, by the client of the context: it happens once for an event, whatever crashes. Other events may share
 * the transaction, which no handler ends. On SQLite it does
 * its work before it first waits.
 */
export type EventTransactionHandler<Client> = (event: CloudEvent, context: EventTransactionContext<Client>) => unknown;

const MAX_PUBLISHED = 1_000;

/** What one attempt has published so far. */
export class Published {
  readonly #events: EventMessage[] = [];
  #ended = false;

  readonly publish = (events: readonly EventMessage[]): void => {
    if (this.#ended)
      throw new RuntimeError(
        "definition-invalid",
        "expected events to be published while they are handled, got one later",
      );
    if (this.#events.length + events.length > MAX_PUBLISHED) {
      const message = `expected at most ${MAX_PUBLISHED} events from the handling of one, got more; publish fewer that say more`;
      throw new RuntimeError("overloaded", message);
    }
    this.#events.push(...events.map(checkEvent));
  };

  /** All of them. Nothing can be added any more. */
  end(): readonly EventMessage[] {
    this.#ended = true;
    return this.#events;
  }
}
