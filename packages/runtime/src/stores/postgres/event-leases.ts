import { checkNames } from "../../store/event-codec.js";
import { shareOf } from "../../store/event-share.js";
import type { EventGroup, Holding, LeasedShard } from "../../store/event-store.js";
import { int4s, int8s, texts } from "./binary-arrays.js";
import type { Connections, Queryable, Row } from "./connections.js";
import { placeAndN, positionOf } from "./event-rows.js";

/**
 * Leases of shards, by the server's clock only. Members of a group come one at a time: each drops those whose lease ran out, gives up what is
 * more than its share, and takes what is free. Whoever takes a shard gets a new fence, by which `advance` knows its holder: one that
 * was thought dead and goes on does no harm.
 */
export async function lease(
  connections: Connections,
  group: string,
  member: string,
  leaseMs: number,
  holding: Holding = NOTHING,
): Promise<LeasedShard[]> {
  checkNames({ group, member });
  return connections.transaction(async (on) => {
    await on.run("event-group", [group]);
    await on.run("event-member", [group, member, Math.ceil(leaseMs), holding.leaving]);
    await share(on, group, member, holding.busy);
    const held = await on.run("held-shards", [group, member]);
    return held.map((row) => ({
      shard: Number(row.shard),
      fence: Number(row.fence),
      position: positionOf(row),
      note: row.note === null ? null : String(row.note),
    }));
  });
}

const NOTHING: Holding = { busy: [], leaving: false };

async function share(on: Queryable, group: string, member: string, busy: readonly number[]): Promise<void> {
  const shards = await on.run("event-holders", [group]);
  const members = shards[0]?.members as readonly string[];
  const staying = shards[0]?.staying as readonly string[];
  const own = shards.filter((row) => row.member === member);
  const wanted = staying.includes(member) ? shareOf(member, staying) : 0;
  const idle = own.filter(({ shard }) => !busy.includes(Number(shard)));
  const isFree = (row: Row): boolean => !members.includes(String(row.member));
  // From the end, so that what is kept is the same every time.
  const moved =
    own.length > wanted
      ? idle.slice(Math.max(0, wanted - (own.length - idle.length)))
      : shards.filter(isFree).slice(0, wanted - own.length);
  if (moved.length === 0) return;
  const holder = own.length > wanted ? null : member;
  await on.run("hold-shards", [group, int4s(moved.map(({ shard }) => Number(shard))), texts(moved.map(() => holder))]);
}

export function release(connections: Connections, group: string, member: string): Promise<void> {
  return alone(connections, group, (on) => on.run("release-shards", [group, member]));
}

export interface Advance {
  readonly group: string;
  readonly shard: LeasedShard;
  readonly position: string | null;
  readonly note: string | null;
}

/** Of one group and shard there is one at most. */
export async function advance(connections: Connections, advances: readonly Advance[]): Promise<boolean[]> {
  const places = advances.map(({ position }) => placeAndN(position));
  const rows = await connections.writer.run("advance", [
    texts(advances.map(({ group }) => group)),
    int4s(advances.map(({ shard }) => shard.shard)),
    int8s(advances.map(({ shard }) => shard.fence)),
    int8s(places.map(([place]) => Number(place))),
    int8s(places.map(([, n]) => Number(n))),
    texts(advances.map(({ note }) => note)),
  ]);
  const advanced = new Set(rows.map((row) => `${row.shard} ${row.group}`));
  return advances.map(({ group, shard }) => advanced.has(`${shard.shard} ${group}`));
}

export async function groups(connections: Connections): Promise<EventGroup[]> {
  return (await connections.logReader.run("event-groups", [])) as unknown as EventGroup[];
}

export function forgetGroup(connections: Connections, group: string): Promise<void> {
  return alone(connections, group, (on) => on.run("forget-group", [group]));
}

/** While no member of the group leases. */
async function alone(
  connections: Connections,
  group: string,
  body: (on: Queryable) => Promise<unknown>,
): Promise<void> {
  checkNames({ group });
  await connections.transaction(async (on) => {
    await on.run("lock-group", [group]);
    await body(on);
  });
}
