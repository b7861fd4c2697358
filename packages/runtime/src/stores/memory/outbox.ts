import type { EventMessage } from "../../broker/event-message.js";
import { refusalOf } from "../../store/event-codec.js";
import { shardOf } from "../../store/event-shard.js";
import type { PutResult, StoredEvent } from "../../store/event-store.js";
import type { EventWorld } from "./event-world.js";

export function put(world: EventWorld, events: readonly EventMessage[], now: number): PutResult[] {
  return events.map((event) => {
    const reason = refusalOf(event);
    if (reason !== undefined) return { kind: "rejected", reason };
    if (world.ids.has(event.id)) return { kind: "duplicate" };
    const { id, subject, key, body } = event;
    world.lastPosition += 1;
    world.ids.add(id);
    world.outbox[shardOf(key)]?.push({
      position: world.lastPosition,
      event: { id, subject, key, body },
      storedAt: now,
    });
    world.shared.hints.put([event]);
    return { kind: "stored" };
  });
}

export function read(world: EventWorld, shard: number, after: number | null, limit: number): StoredEvent[] {
  return (world.outbox[shard] ?? [])
    .filter(({ position }) => position > (after ?? 0))
    .slice(0, limit)
    .map(({ position, ...kept }) => ({ position: String(position), ...kept }));
}

export function pruneOutbox(world: EventWorld, storedBefore: number, limit: number): number {
  let left = limit;
  for (const [shard, kept] of world.outbox.entries()) {
    const positions = [...world.groups.values()].map(({ shards }) => shards[shard]?.position ?? 0);
    const doneUpTo = Math.min(...positions);
    const done = kept
      .filter(({ position, storedAt }) => position <= doneUpTo && storedAt < storedBefore)
      .slice(0, left);
    for (const { event } of done) world.ids.delete(event.id);
    world.outbox[shard] = kept.filter((one) => !done.includes(one));
    left -= done.length;
  }
  return limit - left;
}
