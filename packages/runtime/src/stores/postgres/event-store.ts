import type { EventMessage } from "../../broker/event-message.js";
import type { EventStore } from "../../store/event-store.js";
import type { Connections } from "./connections.js";
import { advance, forgetGroup, groups, lease, release } from "./event-leases.js";
import { begin, pruneHandled } from "./handled-events.js";
import { listParked, park, parkedEvent, unpark } from "./parked-events.js";
import { put, putWithin } from "./put-events.js";
import { pruneOutbox, read } from "./read-events.js";

/** What the events need of the run store whose database they are in. */
export interface EventSurroundings {
  /** Runs a call while the store is open. */
  answer<T>(call: (open: Connections) => Promise<T>): Promise<T>;
  /** These are in the outbox. */
  onPut(events: readonly EventMessage[]): void;
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
export function createPostgresEvents({ answer, onPut, listen }: EventSurroundings): EventStore {
  return {
    put: (events) =>
      answer(async (open) => {
        const results = await put(open, events);
        onPut(events.filter((_, index) => results[index]?.kind === "stored"));
        return results;
      }),
    putWithin: (client, events) => answer((open) => putWithin(open.statements, client, events)),
    lease: (group, member, leaseMs) => answer((open) => lease(open, group, member, leaseMs)),
    release: (group, member) => answer((open) => release(open, group, member)),
    read: (shard, after, limit) => answer((open) => read(open, shard, after, limit)),
    advance: (group, shard, position, note) => answer((open) => advance(open, group, shard, position, note)),
    groups: () => answer(groups),
    forgetGroup: (group) => answer((open) => forgetGroup(open, group)),
    pruneOutbox: (storedBefore, limit) => answer((open) => pruneOutbox(open, storedBefore, limit)),
    begin: (group, eventId) => answer((open) => begin(open, group, eventId)),
    pruneHandled: (handledBefore, limit) => answer((open) => pruneHandled(open, handledBefore, limit)),
    park: (event) => answer((open) => park(open, event)),
    parked: (query) => answer((open) => listParked(open, query)),
    parkedEvent: (group, eventId) => answer((open) => parkedEvent(open, group, eventId)),
    unpark: (group, eventId, again) => answer((open) => unpark(open, group, eventId, again)),
    listen,
  };
}
