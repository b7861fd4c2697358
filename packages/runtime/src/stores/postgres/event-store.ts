import type { EventMessage } from "../../broker/event-message.js";
import { checkNames } from "../../store/event-codec.js";
import type { EventStore, PutResult, StoredEvent } from "../../store/event-store.js";
import type { Connections } from "./connections.js";
import { isOfStatement } from "./driver-error.js";
import { type Advance, advance, forgetGroup, groups, lease, release } from "./event-leases.js";
import { placeAndN } from "./event-rows.js";
import { begin, beginBatch, type Known, known, pruneHandled } from "./handled-events.js";
import { notePut } from "./own-puts.js";
import { listParked, park, parkedEvent, unpark } from "./parked-events.js";
import { put, putWithin } from "./put-events.js";
import { pruneOutbox, type Read, read } from "./read-events.js";
import { Together } from "./together.js";

/** What the events need of the run store whose database they are in. */
export interface EventSurroundings {
  /** Of handled events, open at once. */
  readonly transactions: number;
  /** Runs a call while the store is open. */
  answer<T>(call: (open: Connections) => Promise<T>): Promise<T>;
  /** These are in the outbox. */
  onPut(events: readonly EventMessage[]): void;
  /** These will be, if the transaction commits whose end nobody sees. */
  onPutWithin(events: readonly EventMessage[]): void;
  listen(onPut: (shards: readonly number[]) => void): void;
}

/**
 * The outbox is a log whose rows never change, in the order of (place, n), see migrations/0002_events.sql. A reader sees what lies below the
 * horizon, the oldest transaction that is still open: a row that is committed late has a place above it, so nobody passes
 * it by. The price is that any transaction of the server that writes and stays open holds all events back until it ends.
 *
 * What was committed before in the same key has a lower position, also where transactions overlap. Writers of the same ids do so in one order. A
 * failover fences all holders off, because their positions may be of events that the new server does not have.
 */
export function createPostgresEvents(surroundings: EventSurroundings): EventStore {
  const { transactions, answer, onPut, onPutWithin, listen } = surroundings;
  // There are many shards, which are read at the same moments, and each call is a commit, or as good as one.
  const reads = new Together<Read, StoredEvent[]>((all) => answer((open) => read(open, all)));
  const puts = new Together<readonly EventMessage[], PutResult[]>(
    (calls) =>
      answer(async (open) => {
        const results = await put(open, calls);
        onPut(calls.flatMap((events, call) => events.filter((_, index) => results[call]?.[index]?.kind === "stored")));
        return results;
      }),
    // Another transaction may be about to put an event of one of them.
    isOfStatement,
  );
  const advances = new Together<Advance, boolean>((all) => answer((open) => advance(open, all)));
  const knows = new Together<Known, boolean>((all) => answer((open) => known(open, all)));
  return {
    put: (events) => puts.ask(events),
    putWithin: (client, events) =>
      answer(async (open) => {
        await putWithin(open.statements, client, events);
        if (!notePut(client, events)) onPutWithin(events);
      }),
    lease: (group, member, leaseMs, holding) => answer((open) => lease(open, group, member, leaseMs, holding)),
    release: (group, member) => answer((open) => release(open, group, member)),
    async read(shard, after, limit) {
      placeAndN(after);
      return reads.ask({ shard, after, limit });
    },
    async advance(group, shard, position, note) {
      checkNames({ group, note });
      placeAndN(position);
      return advances.ask({ group, shard, position, note });
    },
    groups: () => answer(groups),
    forgetGroup: (group) => answer((open) => forgetGroup(open, group)),
    pruneOutbox: (storedBefore, limit) => answer((open) => pruneOutbox(open, storedBefore, limit)),
    begin: (group, eventId) => answer((open) => begin(open, group, eventId, onPut)),
    batches: {
      atOnce: transactions,
      begin: (group, eventIds) => answer((open) => beginBatch(open, group, eventIds, onPut)),
      async isHandled(group, eventId) {
        checkNames({ group, id: eventId });
        return knows.ask({ group, id: eventId });
      },
    },
    pruneHandled: (handledBefore, limit) => answer((open) => pruneHandled(open, handledBefore, limit)),
    park: (event) => answer((open) => park(open, event)),
    parked: (query) => answer((open) => listParked(open, query)),
    parkedEvent: (group, eventId) => answer((open) => parkedEvent(open, group, eventId)),
    unpark: (group, eventId, again) => answer((open) => unpark(open, group, eventId, again)),
    listen,
  };
}
