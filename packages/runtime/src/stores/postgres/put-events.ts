import type { EventMessage } from "../../broker/event-message.js";
import { checkEvents, refusalOf } from "../../store/event-codec.js";
import type { PutResult } from "../../store/event-store.js";
import type { Connections, Queryable } from "./connections.js";
import { fromDriver } from "./driver-error.js";
import { charactersOf, eventColumns } from "./event-rows.js";
import { inPieces } from "./in-pieces.js";
import type { Statements } from "./statements.js";

/** Of several calls, in one write: a list of results each. */
export async function put(
  connections: Connections,
  calls: readonly (readonly EventMessage[])[],
): Promise<PutResult[][]> {
  const refused = calls.map((events) => events.map(refusalOf));
  const fit = calls.flatMap((events, call) => events.filter((_, index) => refused[call]?.[index] === undefined));
  const stored = await insert(connections, inPieces(fit, charactersOf));
  return calls.map((events, call) =>
    events.map(({ id }, index): PutResult => {
      const reason = refused[call]?.[index];
      if (reason !== undefined) return { kind: "rejected", reason };
      // Of two in one write the first one is stored.
      return { kind: stored.delete(id) ? "stored" : "duplicate" };
    }),
  );
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
 * Within a transaction of the caller's. Nobody is told in it: a commit that notifies keeps all others that do so waiting until it is on the disk.
 * Errors: `input-invalid`, `payload-too-large`, and then nothing was done; others as of the store.
 */
export async function putWithin(
  statements: Statements,
  client: unknown,
  events: readonly EventMessage[],
): Promise<void> {
  const pieces = inPieces(checkEvents(events), charactersOf);
  try {
    for (const piece of pieces)
      await (client as TransactionClient).query(statements.text("put-events"), eventColumns(piece));
  } catch (error) {
    throw fromDriver(error);
  }
}
