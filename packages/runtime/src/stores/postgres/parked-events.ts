import { checkNames, encodeParked, fromCount } from "../../store/event-codec.js";
import type { ParkedEvent, ParkedPage, ParkedQuery } from "../../store/event-store.js";
import type { Connections, Row } from "./connections.js";
import { eventOf } from "./event-rows.js";

const COLUMNS = `n::text, at::float8, attempts, "group", id, subject, key, code, message, body`;

export async function park(connections: Connections, parked: ParkedEvent): Promise<void> {
  const { group, event, error, attempts } = encodeParked(parked);
  const { id, subject, key, body } = event;
  await connections.writer.run("park-event", [group, id, attempts, subject, key, error.code, error.message, body]);
}

export async function listParked(connections: Connections, query: ParkedQuery): Promise<ParkedPage> {
  const { group, cursor, limit } = query;
  const before = fromCount(cursor, "a cursor");
  if (group !== undefined) checkNames({ group });
  const rows = await connections.reader.query(
    `select ${COLUMNS} from :"schema".parked_events
     where ($1::text is null or "group" = $1) and ($2::int8 is null or n < $2) order by n desc limit $3`,
    [group ?? null, before, limit + 1],
  );
  const page = rows.slice(0, limit);
  const nextCursor = rows.length > limit ? String(page.at(-1)?.n) : null;
  return { items: page.map(parkedOf), nextCursor };
}

export async function parkedEvent(
  connections: Connections,
  group: string,
  eventId: string,
): Promise<ParkedEvent | undefined> {
  checkNames({ group, id: eventId });
  const sql = `select ${COLUMNS} from :"schema".parked_events where "group" = $1 and id = $2`;
  return (await connections.reader.query(sql, [group, eventId])).map(parkedOf)[0];
}

export async function unpark(
  connections: Connections,
  group: string,
  eventId: string,
  again: boolean,
): Promise<boolean> {
  checkNames({ group, id: eventId });
  return (await connections.writer.run("unpark-event", [group, eventId, again])).length > 0;
}

function parkedOf(row: Row): ParkedEvent {
  return {
    group: String(row.group),
    event: eventOf(row),
    error: { code: String(row.code), message: String(row.message) },
    attempts: Number(row.attempts),
    parkedAt: Number(row.at),
  };
}
