import type { EventMessage } from "../../broker/event-message.js";
import { checkEvents, refusalOf } from "../../store/event-codec.js";
import type { PutResult } from "../../store/event-store.js";
import type { Connections, Queryable } from "./connections.js";
import { fromDriver } from "./driver-error.js";
import { charactersOf, eventColumns, shardsOf } from "./event-rows.js";
import { inPieces } from "./in-pieces.js";
import { channelOf, putHint } from "./listener.js";
import type { Statements } from "./statements.js";

export async function put(connections: Connections, events: readonly EventMessage[]): Promise<PutResult[]> {
  const refused = events.map(refusalOf);
  const fit = events.filter((_, index) => refused[index] === undefined);
  const stored = await insert(connections, inPieces(fit, charactersOf));
  return events.map(({ id }, index) => {
    const reason = refused[index];
    if (reason !== undefined) return { kind: "rejected", reason };
    // Of two in one batch the first one is stored.
    return { kind: stored.delete(id) ? "stored" : "duplicate" };
  });
}

/** The ids of those that were not there. */
async function insert(connections: Connections, pieces: readonly (readonly EventMessage[])[]): Promise<Set<string>> {
  const stored = new Set<string>();
  const write = async (on: Queryable): Promise<void> => {
    for (const piece of pieces)
      for (const { id } of await on.run("put-events", eventColumns(piece))) stored.add(String(id));
  };
  if (pieces.length > 1) await connections.transaction(write);
  else await write(connections.writer);
  return stored;
}

/** What is needed of a client: `pg`'s own, from whatever pool, inside a transaction. */
interface TransactionClient {
  query(text: string, values: readonly unknown[]): Promise<unknown>;
}

/**
 * Within a transaction of the caller's. Its hint goes out with it, heard when it commits. Errors: `input-invalid`, `payload-too-large`, and
 * then nothing was done; others as of the store.
 */
export async function putWithin(
  statements: Statements,
  client: unknown,
  events: readonly EventMessage[],
): Promise<void> {
  const pieces = inPieces(checkEvents(events), charactersOf);
  try {
    for (const piece of pieces)
      await (client as TransactionClient).query(statements.text("put-within"), [
        ...eventColumns(piece),
        channelOf(statements.schema),
        putHint(shardsOf(piece)),
      ]);
  } catch (error) {
    throw fromDriver(error);
  }
}
