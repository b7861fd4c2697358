import { checkNames } from "../../store/event-codec.js";
import type { EventTransaction } from "../../store/event-store.js";
import type { Connections } from "./connections.js";
import { fromDriver } from "./driver-error.js";
import { openTransaction } from "./open-transaction.js";

/** The id comes first: of two that handle one event at once, the second waits at it before it has any effect. */
export async function begin(
  connections: Connections,
  group: string,
  eventId: string,
): Promise<EventTransaction | "handled"> {
  checkNames({ group, id: eventId });
  const { client, on, end, rollback } = await openTransaction(connections, "event");
  try {
    const isNew = (await on.run("handle-event", [group, eventId])).length > 0;
    if (isNew)
      return {
        client,
        rollback,
        commit: () =>
          end(
            async () => {},
            () => true,
          ),
      };
    await rollback();
    return "handled";
  } catch (error) {
    await rollback();
    throw fromDriver(error);
  }
}

export async function pruneHandled(connections: Connections, handledBefore: number, limit: number): Promise<number> {
  return (await connections.writer.run("prune-handled", [handledBefore, limit])).length;
}
