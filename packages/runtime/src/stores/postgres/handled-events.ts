import type { EventMessage } from "../../broker/event-message.js";
import { checkNames } from "../../store/event-codec.js";
import type { EventBatch, EventTransaction } from "../../store/event-store.js";
import { texts } from "./binary-arrays.js";
import type { Connections } from "./connections.js";
import { fromDriver } from "./driver-error.js";
import { keptOpen } from "./kept-open.js";
import { openTransaction } from "./open-transaction.js";

/**
 * The ids come first: of two that handle one event at once, the second waits at it before it has any effect. `onPut`: events that were put in
 * the transaction are committed.
 */
export async function beginBatch(
  connections: Connections,
  group: string,
  eventIds: readonly string[],
  onPut: (events: readonly EventMessage[]) => void,
): Promise<EventBatch> {
  for (const id of eventIds) checkNames({ group, id });
  const { client, on, put, end, rollback } = await openTransaction(connections, "event");
  try {
    const rows = await on.run("handle-events", [group, texts(eventIds)]);
    return {
      client: eventIds.length > 1 ? keptOpen(client) : client,
      rollback,
      fresh: new Set(rows.map(({ id }) => String(id))),
      async commit() {
        await end(
          async () => {},
          () => true,
        );
        onPut(put);
      },
    };
  } catch (error) {
    await rollback();
    throw fromDriver(error);
  }
}

export async function begin(
  connections: Connections,
  group: string,
  eventId: string,
  onPut: (events: readonly EventMessage[]) => void,
): Promise<EventTransaction | "handled"> {
  const transaction = await beginBatch(connections, group, [eventId], onPut);
  if (transaction.fresh.size > 0) return transaction;
  await transaction.rollback();
  return "handled";
}

export interface Known {
  readonly group: string;
  readonly id: string;
}

/** Whether each was handled. */
export async function known(connections: Connections, events: readonly Known[]): Promise<boolean[]> {
  const columns = [texts(events.map(({ group }) => group)), texts(events.map(({ id }) => id))];
  const places = new Set((await connections.writer.run("known-events", columns)).map(({ i }) => Number(i)));
  return events.map((_, index) => places.has(index + 1));
}

export async function pruneHandled(connections: Connections, handledBefore: number, limit: number): Promise<number> {
  return (await connections.writer.run("prune-handled", [handledBefore, limit])).length;
}
