import type { EventMessage } from "../broker/event-message.js";

/**
 * Events beside the runs, in the same database: the outbox that they leave from, what is known of those who read it, the ids of events
 * that were handled, and the events that nobody could handle. An event leaves if and only if what caused it was committed, because
 * both are written in one transaction. Opened and closed with its RunStore. Throws `store-unavailable` as that one does, and
 * `input-invalid` for a name, an id or a note that no database takes and for a position or a cursor that it did not give.
 *
 * The outbox is an append-only log, cut into `SHARDS` by a hash of the key. Each shard is read by one member of a group at a time, under a
 * lease; a relay to a broker is such a group, and so are those who handle events without a broker. A position never becomes
 * readable before all that come before it are: a row that commits late, with a number drawn early, is never passed by.
 */
export interface EventStore {
  /** Idempotent by id, one result each. All that are stored are stored in one write. */
  put(events: readonly EventMessage[]): Promise<PutResult[]>;
  /**
   * The same within the caller's transaction, by its client: `StepTransaction.client`, `EventTransaction.client`, or one of the caller's own
   * connection to this database, `{ query(text, values) }` on PostgreSQL and `{ run(sql, parameters) }` on SQLite, where it is done when
   * the call returns. Throws when one cannot be stored.
   */
  putWithin(client: unknown, events: readonly EventMessage[]): void | Promise<void>;

  /**
   * Registers the member or extends its lease, and gives it the shards that are its own from here on: its share of all, as many as there are
   * live members to share them. Shards that it had and that are not in the answer are somebody else's, or will be.
   */
  lease(group: string, member: string, leaseMs: number, holding?: Holding): Promise<LeasedShard[]>;
  /** Gives all up at once. Harmless when it is unknown. */
  release(group: string, member: string): Promise<void>;
  /** Events of the shard behind the position (null: from the oldest kept on), in order, at most `limit`. */
  read(shard: number, after: string | null, limit: number): Promise<StoredEvent[]>;
  /**
   * The group has done with everything of the shard up to the position; `note` is kept with it for the group. Backwards too: then all from there
   * on is read again. False: the lease is somebody else's, nothing changed.
   */
  advance(group: string, shard: LeasedShard, position: string | null, note: string | null): Promise<boolean>;
  /** What all groups have to read, for readiness and metrics. */
  groups(): Promise<EventGroup[]>;
  /** A group that nobody reads for any more: the outbox no longer waits for it. Harmless when it is unknown. */
  forgetGroup(group: string): Promise<void>;
  /** Deletes up to `limit` events that were stored before and that every group has done with. Returns how many. */
  pruneOutbox(storedBefore: number, limit: number): Promise<number>;

  /**
   * Begins to handle an event for a group, in a transaction that also says that it was handled. `handled`: it was before. Of two at once the
   * second waits for the first one's end.
   */
  begin(group: string, eventId: string): Promise<EventTransaction | "handled">;
  /** Left out by a store to which it is all the same how many events are handled in a transaction. */
  readonly batches?: EventBatches;
  /** Deletes up to `limit` ids of events handled before. Later ones come again as new. Returns how many. */
  pruneHandled(handledBefore: number, limit: number): Promise<number>;

  /** Keeps an event that the group cannot handle, with why, and says that it was handled, in one write. Once per group and event id. */
  park(event: ParkedEvent): Promise<void>;
  /** Newest first. */
  parked(query: ParkedQuery): Promise<ParkedPage>;
  /** Undefined: it is not parked. */
  parkedEvent(group: string, eventId: string): Promise<ParkedEvent | undefined>;
  /** It is parked no more, and its id no longer counts as handled when `again`. False: it was not parked. */
  unpark(group: string, eventId: string, again: boolean): Promise<boolean>;

  /**
   * Calls back when events were put, by this process or, where the database tells, by others. A hint: it may be lost, doubled, late or, where
   * the end of a transaction of the caller's is not seen, early. Of what the store itself commits it comes after the commit.
   */
  listen?(onPut: (shards: readonly number[]) => void): void;
}

export const SHARDS = 16;

/** `duplicate`: an event with this id is there. `rejected`: it cannot be stored; sending it again cannot help. */
export type PutResult =
  | { readonly kind: "stored" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "rejected"; readonly reason: string };

export interface StoredEvent {
  /** Opaque, for `read` and `advance`. */
  readonly position: string;
  readonly event: EventMessage;
  /** Store's clock, ms since the epoch. */
  readonly storedAt: number;
}

export interface LeasedShard {
  readonly shard: number;
  /** Grows with each new holder. */
  readonly fence: number;
  /** Up to where the group has done with it; null: nothing yet. */
  readonly position: string | null;
  /** What was kept with the position. */
  readonly note: string | null;
}

/** What a member that handles events itself says of its shards. */
export interface Holding {
  /** Those that it does not give up yet, be they more than its share. */
  readonly busy: readonly number[];
  /** It goes: it keeps those that are busy and gives up the others, which the others share as if it were gone. */
  readonly leaving: boolean;
}

export interface EventGroup {
  readonly group: string;
  /** Live ones. */
  readonly members: number;
  /** Events that it has not done with, at most 10,000 are counted for each shard. */
  readonly waiting: number;
  /** When the oldest of them was stored; null: none waits. */
  readonly oldestAt: number | null;
}

/** Handling and that it was handled commit together, or neither does. */
export interface EventTransaction {
  /** The driver's own client, inside the transaction; as `StepTransaction.client`. */
  readonly client: unknown;
  commit(): Promise<void>;
  /** Harmless after the end. */
  rollback(): Promise<void>;
}

/** Several events in one transaction. */
export interface EventBatches {
  /** Transactions that may be open at once; who begins one more waits. */
  readonly atOnce: number;
  /** As `EventStore.begin`, of all of them: they are handled together, or none is. */
  begin(group: string, eventIds: readonly string[]): Promise<EventBatch>;
  /** Whether it was handled, as far as that is committed: waits for nobody who handles it now. */
  isHandled(group: string, eventId: string): Promise<boolean>;
}

export interface EventBatch extends EventTransaction {
  /** Those that were not handled before. */
  readonly fresh: ReadonlySet<string>;
}

export interface ParkedEvent {
  readonly group: string;
  readonly event: EventMessage;
  /** What no database takes is replaced in it; of the code 200 characters are kept, of the message 4,000. */
  readonly error: { readonly code: string; readonly message: string };
  readonly attempts: number;
  /** Store's clock, ms since the epoch; what `park` is given is ignored. */
  readonly parkedAt: number;
}

export interface ParkedQuery {
  readonly group?: string;
  readonly cursor?: string;
  /** 1 to 200. */
  readonly limit: number;
}

export interface ParkedPage {
  readonly items: readonly ParkedEvent[];
  readonly nextCursor: string | null;
}
