import { checkNames, fromCount } from "../../store/event-codec.js";
import type { EventStore } from "../../store/event-store.js";
import type { LocalEvents } from "../../store/local-events.js";
import { advance, lease, leave, listGroups } from "./event-groups.js";
import { beginEvent } from "./event-transaction.js";
import { keyOfEvent } from "./event-world.js";
import { isHandled, pruneHandled } from "./handled-events.js";
import { pruneOutbox, put, read } from "./outbox.js";
import { listParked, park, unpark } from "./parked-events.js";
import { putWithin } from "./transaction.js";
import type { MemoryWorld } from "./world.js";

/** `answer` runs a call while the run store is open, and gives it the store's time. */
export function createMemoryEvents(
  world: MemoryWorld,
  local: LocalEvents,
  answer: <T>(call: (now: number) => T) => Promise<T>,
  clock: () => number,
): EventStore {
  const { events } = world;
  return {
    put: (batch) => answer((now) => put(events, batch, now)),
    putWithin,
    lease: (group, member, leaseMs) =>
      answer((now) => {
        checkNames({ group, member });
        return lease(events, group, member, leaseMs, now);
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
      await answer(() => checkNames({ group, id: eventId }));
      const end = await local.takeTurn(group, eventId);
      try {
        const handled = await answer(() => isHandled(events, group, eventId));
        if (!handled) return beginEvent(world, group, eventId, clock, end);
      } catch (error) {
        end();
        throw error;
      }
      end();
      return "handled";
    },
    pruneHandled: (handledBefore, limit) => answer(() => pruneHandled(events, handledBefore, limit)),
    park: (parked) => answer((now) => park(events, parked, now)),
    parked: (query) => answer(() => listParked(events, query, fromCount(query.cursor, "a cursor"))),
    parkedEvent: (group, eventId) => answer(() => events.parked.get(keyOfEvent(group, eventId))?.parked),
    unpark: (group, eventId, again) => answer(() => unpark(events, group, eventId, again)),
    listen: (onPut) => local.listen(onPut),
  };
}
