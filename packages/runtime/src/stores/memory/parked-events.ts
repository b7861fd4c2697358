import { encodeParked } from "../../store/event-codec.js";
import type { ParkedEvent, ParkedPage, ParkedQuery } from "../../store/event-store.js";
import { type EventWorld, keyOfEvent } from "./event-world.js";
import { recordHandled } from "./handled-events.js";

export function park(world: EventWorld, element: ParkedEvent, now: number): void {
  const parked = { ...encodeParked(element), parkedAt: now };
  const key = keyOfEvent(parked.group, parked.event.id);
  recordHandled(world, parked.group, parked.event.id, now);
  if (world.parked.has(key)) return;
  world.lastParked += 1;
  world.parked.set(key, { n: world.lastParked, parked: { ...parked, event: { ...parked.event } } });
}

export function listParked(world: EventWorld, { group, limit }: ParkedQuery, before: number | null): ParkedPage {
  const found = [...world.parked.values()]
    .filter(({ n, parked }) => n < (before ?? Number.POSITIVE_INFINITY) && (group ?? parked.group) === parked.group)
    .reverse();
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = found.length > limit && last !== undefined ? String(last.n) : null;
  return { items: page.map(({ parked }) => parked), nextCursor };
}

export function unpark(world: EventWorld, group: string, eventId: string, again: boolean): boolean {
  const key = keyOfEvent(group, eventId);
  if (!world.parked.delete(key)) return false;
  if (again) world.handled.delete(key);
  return true;
}
