import type { EventMessage } from "../../broker/event-message.js";
import { type ParkedEvent, SHARDS } from "../../store/event-store.js";
import { createSharedEvents, type SharedEvents } from "../../store/local-events.js";

/** The events of a memory world, beside its runs. */
export interface EventWorld {
  /** By shard, oldest first. */
  readonly outbox: KeptEvent[][];
  /** Of the events in the outbox. */
  readonly ids: Set<string>;
  lastPosition: number;
  readonly groups: Map<string, KeptGroup>;
  /** When, by group and event id, in the order in which they were handled. */
  readonly handled: Map<string, number>;
  /** By group and event id, the oldest first. */
  readonly parked: Map<string, KeptParked>;
  lastParked: number;
  readonly shared: SharedEvents;
}

export interface KeptEvent {
  readonly position: number;
  readonly event: EventMessage;
  readonly storedAt: number;
}

export interface KeptGroup {
  /** When their leases run out, by member. */
  readonly members: Map<string, number>;
  /** By shard. */
  readonly shards: readonly KeptShard[];
}

export interface KeptShard {
  readonly shard: number;
  holder: string | null;
  fence: number;
  position: number | null;
  note: string | null;
}

export interface KeptParked {
  readonly n: number;
  readonly parked: ParkedEvent;
}

export function createEventWorld(): EventWorld {
  return {
    outbox: Array.from({ length: SHARDS }, () => []),
    ids: new Set(),
    lastPosition: 0,
    groups: new Map(),
    handled: new Map(),
    parked: new Map(),
    lastParked: 0,
    shared: createSharedEvents(),
  };
}

export function createGroup(): KeptGroup {
  const shards = Array.from({ length: SHARDS }, (_, shard) => ({
    ...{ shard, holder: null, fence: 0 },
    ...{ position: null, note: null },
  }));
  return { members: new Map(), shards };
}

/** Of what is kept by group and event. */
export function keyOfEvent(group: string, eventId: string): string {
  return JSON.stringify([group, eventId]);
}
