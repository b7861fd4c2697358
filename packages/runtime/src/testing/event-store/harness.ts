import { expect } from "vitest";
import type { EventMessage } from "../../broker/event-message.js";
import { shardOf } from "../../store/event-shard.js";
import {
  type EventStore,
  type EventTransaction,
  type LeasedShard,
  SHARDS,
  type StoredEvent,
} from "../../store/event-store.js";
import type { RunStore } from "../../store/run-store.js";
import { type ContractBench, LEASE_MS, type RunStoreTraits, testWith } from "../run-store-contract/harness.js";

export interface EventBench extends ContractBench {
  readonly events: EventStore;
  /** Of a further store on the same data, or the same one where there can be no other. */
  another(): Promise<EventStore>;
}

export type EventTest = (title: string, body: (under: EventBench) => Promise<void>) => void;

export function eventTestWith(traits: RunStoreTraits): EventTest {
  const test = testWith(traits);
  return (title, body) =>
    test(title, async (under) => {
      const another = async (): Promise<EventStore> => eventsOf((await under.reopen?.()) ?? under.store);
      await body({ ...under, events: eventsOf(under.store), another });
    });
}

export function eventsOf(store: RunStore): EventStore {
  return store.events ?? expect.fail("expected a store with events");
}

export const GROUP = "relay";

export function newEvent(n: number, overrides: Partial<EventMessage> = {}): EventMessage {
  return { id: `event-${n}`, subject: "order.paid", key: "order-1", body: JSON.stringify({ n }), ...overrides };
}

/** Events `from` to `to`, all of one key. */
export function newEvents(from: number, to: number, overrides: Partial<EventMessage> = {}): EventMessage[] {
  return Array.from({ length: to - from + 1 }, (_, index) => newEvent(from + index, overrides));
}

/** A key whose events lie in that shard. */
export function keyIn(shard: number): string {
  for (let n = 0; ; n += 1) if (shardOf(`key-${n}`) === shard) return `key-${n}`;
}

/** Everything of the shard behind the position, read in pages. */
export async function readAll(
  events: EventStore,
  shard: number,
  after: string | null = null,
  pageSize = 100,
): Promise<StoredEvent[]> {
  const found: StoredEvent[] = [];
  for (;;) {
    const page = await events.read(shard, found.at(-1)?.position ?? after, pageSize);
    expect(page.length).toBeLessThanOrEqual(pageSize);
    if (page.length === 0) return found;
    found.push(...page);
  }
}

/** The ids of all events in the outbox: shard after shard, each in its order. */
export async function idsIn(events: EventStore): Promise<string[]> {
  const ids: string[] = [];
  for (let shard = 0; shard < SHARDS; shard += 1)
    ids.push(...(await readAll(events, shard)).map(({ event }) => event.id));
  return ids;
}

export async function leased(
  events: EventStore,
  member: string,
  group = GROUP,
  leaseMs = LEASE_MS,
): Promise<LeasedShard[]> {
  const shards = await events.lease(group, member, leaseMs);
  return [...shards].sort((a, b) => a.shard - b.shard);
}

/** The lease of one shard; fails the test when the member does not get it. */
export async function leaseOf(events: EventStore, shard: number, member: string, group = GROUP): Promise<LeasedShard> {
  const found = (await leased(events, member, group)).find((lease) => lease.shard === shard);
  return found ?? expect.fail(`expected ${member} to be given shard ${shard}`);
}

/** The group has done with the first `count` events of the shard. */
export async function done(events: EventStore, shard: number, count: number, group = GROUP): Promise<void> {
  const stored = await readAll(events, shard);
  const lease = await leaseOf(events, shard, "member", group);
  expect(await events.advance(group, lease, stored[count - 1]?.position ?? null, null)).toBe(true);
}

/** Begins to handle an event that was not handled yet. */
export async function begun(events: EventStore, id: string, group = GROUP): Promise<EventTransaction> {
  const transaction = await events.begin(group, id);
  return transaction === "handled" ? expect.fail(`expected event ${id} not to be handled, it is`) : transaction;
}

export async function isHandled(events: EventStore, id: string, group = GROUP): Promise<boolean> {
  const transaction = await events.begin(group, id);
  if (transaction === "handled") return true;
  await transaction.rollback();
  return false;
}
