import { RuntimeError } from "../../errors.js";
import type { EventTransaction } from "../../store/event-store.js";
import type { Database } from "./database.js";
import { recordHandled } from "./handled-events.js";
import { TurnTransaction } from "./turn-transaction.js";

/**
 * Nothing is locked while the event is handled: a handler may take long, and this process has one connection. Who uses the client does it in
 * the turn in which it commits, as in a step's transaction. Two of this process wait for each other's `leave`; of two in different processes the
 * one that commits second is refused.
 */
export function beginEvent(
  db: Database,
  group: string,
  eventId: string,
  now: () => number,
  leave: () => void,
): EventTransaction {
  const transaction = new TurnTransaction(db, "an event");
  return {
    get client() {
      return transaction.client;
    },
    async commit() {
      try {
        transaction.check();
        const isEmpty = !transaction.isBegun;
        const isFirst = recordHandled(transaction.client, group, eventId, now());
        // With no effect in it there is nothing to take back.
        if (!isFirst && !isEmpty) throw handledElsewhere(db, group, eventId);
        transaction.commit();
      } finally {
        transaction.rollback();
        leave();
      }
    },
    async rollback() {
      transaction.rollback();
      leave();
    },
  };
}

function handledElsewhere({ file }: Database, group: string, eventId: string): RuntimeError {
  const message = `expected event ${eventId} not to be handled by group ${group} until its transaction commits, got: another process of ${file} has handled it meanwhile; what was done here is undone, begin again to be told so`;
  return new RuntimeError("in-progress", message, { file, group, event: eventId });
}
