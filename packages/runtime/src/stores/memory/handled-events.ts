import { type EventWorld, keyOfEvent } from "./event-world.js";

export function isHandled(world: EventWorld, group: string, eventId: string): boolean {
  return world.handled.has(keyOfEvent(group, eventId));
}

export function recordHandled(world: EventWorld, group: string, eventId: string, now: number): void {
  if (!isHandled(world, group, eventId)) world.handled.set(keyOfEvent(group, eventId), now);
}

export function pruneHandled(world: EventWorld, handledBefore: number, limit: number): number {
  const before = [...world.handled].filter(([, at]) => at < handledBefore).slice(0, limit);
  for (const [key] of before) world.handled.delete(key);
  return before.length;
}
