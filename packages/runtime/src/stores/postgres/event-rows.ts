import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { shardOf } from "../../store/event-shard.js";
import { int4s, texts } from "./binary-arrays.js";
import type { Row } from "./connections.js";

/** Of an event, for the size of a statement: also a small one has its row. */
export function charactersOf({ key, body }: EventMessage): number {
  return 100 + key.length + body.length;
}

/** Those that the events lie in, each once. */
export function shardsOf(events: readonly EventMessage[]): readonly number[] {
  return [...new Set(events.map(({ key }) => shardOf(key)))];
}

/** As put-events.sql takes them. */
export function eventColumns(events: readonly EventMessage[]): Buffer[] {
  return [
    int4s(events.map(({ key }) => shardOf(key))),
    texts(events.map(({ id }) => id)),
    texts(events.map(({ subject }) => subject)),
    texts(events.map(({ key }) => key)),
    texts(events.map(({ body }) => body)),
  ];
}

export function eventOf({ id, subject, key, body }: Row): EventMessage {
  return { id: String(id), subject: String(subject), key: String(key), body: String(body) };
}

/** Where an event lies in its shard: `<place>:<n>`. Null is before all of them. */
export function positionOf({ place, n }: Row): string | null {
  return place === "0" ? null : `${place}:${n}`;
}

const POSITION = /^(\d{1,18}):(\d{1,18})$/;

/** Errors: `input-invalid`. */
export function placeAndN(position: string | null): readonly [place: string, n: string] {
  if (position === null) return ["0", "0"];
  const [, place, n] = POSITION.exec(position) ?? [];
  if (place !== undefined && n !== undefined) return [place, n];
  const message = `expected a position that this store gave, got ${JSON.stringify(position).slice(0, 80)}; begin without one`;
  throw new RuntimeError("input-invalid", message);
}
