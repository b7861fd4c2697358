import { shareOf } from "../../store/event-share.js";
import type { EventGroup, LeasedShard } from "../../store/event-store.js";
import { createGroup, type EventWorld, type KeptShard } from "./event-world.js";

const MAX_COUNTED = 10_000;

/** A member that has more than its share gives the rest up, one that has less takes what nobody has. */
export function lease(world: EventWorld, group: string, member: string, leaseMs: number, now: number): LeasedShard[] {
  const { members, shards } = world.groups.get(group) ?? createGroup();
  world.groups.set(group, { members, shards });
  members.set(member, now + leaseMs);
  for (const [other, expiresAt] of members) if (expiresAt <= now && other !== member) leave(world, group, other);

  const share = shareOf(member, [...members.keys()]);
  const own = shards.filter(({ holder }) => holder === member);
  for (const shard of own.slice(share)) shard.holder = null;
  for (const shard of shards.filter(({ holder }) => holder === null).slice(0, Math.max(0, share - own.length))) {
    shard.holder = member;
    shard.fence += 1;
  }
  return shards.filter(({ holder }) => holder === member).map(leasedShard);
}

function leasedShard({ shard, fence, position, note }: KeptShard): LeasedShard {
  return { shard, fence, position: position === null ? null : String(position), note };
}

export function leave(world: EventWorld, group: string, member: string): void {
  const kept = world.groups.get(group);
  kept?.members.delete(member);
  for (const shard of kept?.shards ?? []) if (shard.holder === member) shard.holder = null;
}

/** The fence alone tells: it is another one as soon as somebody else has held the shard. */
export function advance(
  world: EventWorld,
  group: string,
  { shard, fence }: LeasedShard,
  position: number | null,
  note: string | null,
): boolean {
  const kept = world.groups.get(group)?.shards[shard];
  if (kept?.fence !== fence) return false;
  kept.position = position;
  kept.note = note;
  return true;
}

export function listGroups(world: EventWorld, now: number): EventGroup[] {
  return [...world.groups].map(([group, { members, shards }]) => {
    const waiting = shards.map(({ shard, position }) =>
      (world.outbox[shard] ?? []).filter((kept) => kept.position > (position ?? 0)),
    );
    const oldest = waiting.flatMap(([first]) => (first === undefined ? [] : [first.storedAt]));
    return {
      group,
      members: [...members.values()].filter((expiresAt) => expiresAt > now).length,
      waiting: waiting.reduce((sum, { length }) => sum + Math.min(length, MAX_COUNTED), 0),
      oldestAt: oldest.length === 0 ? null : Math.min(...oldest),
    };
  });
}
