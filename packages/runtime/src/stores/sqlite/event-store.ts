import type { EventMessage } from "../../broker/event-message.js";
import { checkNames, fromCount } from "../../store/event-codec.js";
import type { EventStore, PutResult } from "../../store/event-store.js";
import type { LocalEvents } from "../../store/local-events.js";
import { applyBatch } from "./batch.js";
import type { Database } from "./database.js";
import { advance, forgetGroup, lease, leave, listGroups } from "./event-groups.js";
import { beginEvent } from "./event-transaction.js";
import { isHandled, pruneHandled } from "./handled-events.js";
import { pruneOutbox, put, putWithin, read } from "./outbox.js";
import { listParked, park, selectParked, unpark } from "./parked-events.js";

/** How a run store runs calls on its open file, at its time; `write` within a transaction. */
export interface SqliteCalls {
  answer<T>(call: (db: Database, now: number) => T): Promise<T>;
  write<T>(call: (db: Database, now: number) => T): Promise<T>;
  /** The same, for what is done again soon: it waits for a moment only, and that it failed says nothing about the file. */
  writeBriefly<T>(call: (db: Database, now: number) => T): Promise<T>;
  now(): number;
}

/** The events of a run store, in its file. */
export function createSqliteEvents({ answer, write, writeBriefly, now }: SqliteCalls, local: LocalEvents): EventStore {
  return {
    put: (events) =>
      answer((db, at) => {
        const results = applyBatch<EventMessage, PutResult>(
          db,
          events,
          (event) => put(db, event, at),
          (reason) => ({ kind: "rejected", reason }),
        );
        local.put(events.filter((_, index) => results[index]?.kind === "stored"));
        return results;
      }),
    putWithin(client: unknown, events: readonly EventMessage[]) {
      putWithin(client, events, now());
      local.put(events);
    },
    // Every group of every process, every second: a file that is locked for long would have them block the process in turn.
    lease: (group, member, leaseMs, holding) =>
      writeBriefly((db, at) => {
        checkNames({ group, member });
        return lease(db, group, member, leaseMs, at, holding);
      }),
    release: (group, member) => write((db) => leave(db, group, member)),
    read: (shard, after, limit) => answer((db) => read(db, shard, fromCount(after, "a position"), limit)),
    advance: (group, leased, position, note) =>
      answer((db) => {
        checkNames({ note });
        return advance(db, group, leased, fromCount(position, "a position"), note);
      }),
    groups: () => answer(listGroups),
    forgetGroup: (group) => write((db) => forgetGroup(db, group)),
    pruneOutbox: (storedBefore, limit) => write((db) => pruneOutbox(db, storedBefore, limit)),
    async begin(group, eventId) {
      await answer(() => checkNames({ group, id: eventId }));
      const end = await local.takeTurn(group, eventId);
      try {
        const transaction = await answer((db) =>
          isHandled(db, group, eventId) ? "handled" : beginEvent(db, group, eventId, now, end),
        );
        if (transaction !== "handled") return transaction;
      } catch (error) {
        end();
        throw error;
      }
      end();
      return "handled";
    },
    pruneHandled: (handledBefore, limit) => answer((db) => pruneHandled(db, handledBefore, limit)),
    park: (parked) => write((db, at) => park(db, parked, at)),
    parked: (query) => answer((db) => listParked(db, query, fromCount(query.cursor, "a cursor"))),
    parkedEvent: (group, eventId) => answer((db) => selectParked(db, group, eventId)),
    unpark: (group, eventId, again) => write((db) => unpark(db, group, eventId, again)),
    listen: (onPut) => local.listen(onPut),
  };
}
