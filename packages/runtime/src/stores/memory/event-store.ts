import { checkNames, fromCount } from "../../store/event-codec.js";
import type { EventBatch, EventStore } from "../../store/event-store.js";
import type { LocalEvents } from "../../store/local-events.js";
import { advance, lease, leave, listGroups } from "./event-groups.js";
import { beginEvent } from "./event-transaction.js";
import { keyOfEvent } from "./event-world.js";
import { isHandled, pruneHandled } from "./handled-events.js";
import { pruneOutbox, put, read } from "./outbox.js";
import { listParked, park, unpark } from "./parked-events.js";
import { putWithin } from "./transaction.js";
import type { MemoryWorld } from "./world.js";

/** In memory none costs anything. So few are what others are, which tests of theirs are about. */
const TRANSACTIONS = 4;

/** `answer` runs a call while the run store is open, and gives it the store's time. */
export function createMemoryEvents(
  world: MemoryWorld,
  local: LocalEvents,
  answer: <T>(call: (now: number) => T) => Promise<T>,
  clock: () => number,
): EventStore {
  const { events } = world;
  const beginBatch = async (group: string, eventIds: readonly string[]): Promise<EventBatch> => {
    await answer(() => {
      for (const id of eventIds) checkNames({ group, id });
    });
    const ends: (() => void)[] = [];
    const leave = (): void => {
      for (const end of ends) end();
    };
    try {
      // In one order, so that two never wait for each other.
      for (const id of [...new Set(eventIds)].sort()) ends.push(await local.takeTurn(group, id));
      const fresh = await answer(() => eventIds.filter((id) => !isHandled(events, group, id)));
      return { ...beginEvent(world, group, fresh, clock, leave), fresh: new Set(fresh) };
    } catch (error) {
      leave();
      throw error;
    }
  };
  return {
    put: (batch) => answer((now) => put(events, batch, now)),
    putWithin,
    lease: (group, member, leaseMs, holding) =>
      answer((now) => {
        checkNames({ group, member });
        return lease(events, group, member, leaseMs, now, holding);
      }),
    release: (group, member) => answer(() => leave(events, group, member)),
    read: (shard, after, limit) => answer(() => read(events, shard, fromCount(after, "a position"), limit)),
    advance: (group, leased, position, note) =>
      answer(() => {
        checkNames({ note });
        return advance(events, group, leased, fromCount(position, "a position"), note);
      }),
    groups: () => answer((now) => listGroups(events, now)),
    forgetGroup: (group) => answer(() => void events.groups.delete(group)),
    pruneOutbox: (storedBefore, limit) => answer(() => pruneOutbox(events, storedBefore, limit)),
    async begin(group, eventId) {
      const batch = await beginBatch(group, [eventId]);
      if (batch.fresh.size > 0) return batch;
      await batch.rollback();
      return "handled";
    },
    batches: {
      ...{ atOnce: TRANSACTIONS, begin: beginBatch },
      isHandled: (group, eventId) =>
        answer(() => {
          checkNames({ group, id: eventId });
          return isHandled(events, group, eventId);
        }),
    },
    pruneHandled: (handledBefore, limit) => answer(() => pruneHandled(events, handledBefore, limit)),
    park: (parked) => answer((now) => park(events, parked, now)),
    parked: (query) => answer(() => listParked(events, query, fromCount(query.cursor, "a cursor"))),
    parkedEvent: (group, eventId) => answer(() => events.parked.get(keyOfEvent(group, eventId))?.parked),
    unpark: (group, eventId, again) => answer(() => unpark(events, group, eventId, again)),
    listen: (onPut) => local.listen(onPut),
  };
}
