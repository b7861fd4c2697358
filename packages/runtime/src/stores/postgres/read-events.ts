import type { StoredEvent } from "../../store/event-store.js";
import type { Connections } from "./connections.js";
import { eventOf, placeAndN } from "./event-rows.js";

export async function read(
  connections: Connections,
  shard: number,
  after: string | null,
  limit: number,
): Promise<StoredEvent[]> {
  const rows = await connections.logReader.run("read-events", [shard, ...placeAndN(after), limit]);
  return rows.map((row) => ({ position: `${row.place}:${row.n}`, event: eventOf(row), storedAt: Number(row.at) }));
}

export async function pruneOutbox(connections: Connections, storedBefore: number, limit: number): Promise<number> {
  return (await connections.logReader.run("prune-events", [storedBefore, limit])).length;
}
