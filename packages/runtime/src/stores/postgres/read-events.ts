import type { StoredEvent } from "../../store/event-store.js";
import { int4s, int8s } from "./binary-arrays.js";
import type { Connections } from "./connections.js";
import { eventOf, placeAndN } from "./event-rows.js";

export interface Read {
  readonly shard: number;
  readonly after: string | null;
  readonly limit: number;
}

/** One list each. */
export async function read(connections: Connections, reads: readonly Read[]): Promise<StoredEvent[][]> {
  const places = reads.map(({ after }) => placeAndN(after));
  const rows = await connections.logReader.run("read-events", [
    int4s(reads.map(({ shard }) => shard)),
    int8s(places.map(([place]) => Number(place))),
    int8s(places.map(([, n]) => Number(n))),
    int4s(reads.map(({ limit }) => limit)),
  ]);
  const read: StoredEvent[][] = reads.map(() => []);
  for (const row of rows)
    read[Number(row.i) - 1]?.push({
      position: `${row.place}:${row.n}`,
      event: eventOf(row),
      storedAt: Number(row.at),
    });
  return read;
}

export async function pruneOutbox(connections: Connections, storedBefore: number, limit: number): Promise<number> {
  return (await connections.logReader.run("prune-events", [storedBefore, limit])).length;
}
