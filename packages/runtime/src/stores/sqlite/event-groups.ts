import { shareOf } from "../../store/event-share.js";
import { type EventGroup, type Holding, type LeasedShard, SHARDS } from "../../store/event-store.js";
import type { Database } from "./database.js";

const REGISTER = `
insert into clean_arch_event_members (reader, member, expires_at, leaving) values (?, ?, ?, ?)
on conflict (reader, member) do update
  set expires_at = excluded.expires_at, leaving = max(leaving, excluded.leaving)`;

const BURY = `delete from clean_arch_event_members where reader = ? and member <> ? and expires_at <= ?`;
const STAYING = `select member from clean_arch_event_members where reader = ? and leaving = 0`;

const CREATE_SHARDS = `
insert into clean_arch_event_shards (reader, shard) select ?, value from json_each(?) where true
on conflict (reader, shard) do nothing`;
const ALL_SHARDS = JSON.stringify(Array.from({ length: SHARDS }, (_, shard) => shard));

/** What dead members held, and what is more than the member's share, but for shards that it is busy with. */
const FREE_DEAD = `
update clean_arch_event_shards set holder = null where reader = ? and holder is not null
  and holder not in (select member from clean_arch_event_members m where m.reader = clean_arch_event_shards.reader)`;
const FREE_SURPLUS = `
update clean_arch_event_shards set holder = null where reader = ? and shard in
  (select shard from clean_arch_event_shards where reader = ? and holder = ?
    and shard not in (select value from json_each(?)) order by shard limit -1 offset ?)`;

const TAKE = `
update clean_arch_event_shards set holder = ?, fence = fence + 1 where reader = ? and shard in
  (select shard from clean_arch_event_shards where reader = ? and holder is null order by shard limit ?)`;

const HELD = `
select shard, fence, cast(position as text) as position, note from clean_arch_event_shards
where reader = ? and holder = ? order by shard`;

const NOTHING: Holding = { busy: [], leaving: false };

/** Within a transaction. A member that has more than its share gives the rest up, one that has less takes what nobody has. */
export function lease(
  db: Database,
  group: string,
  member: string,
  leaseMs: number,
  now: number,
  { busy, leaving }: Holding = NOTHING,
): LeasedShard[] {
  db.run(REGISTER, [group, member, now + leaseMs, leaving ? 1 : 0]);
  db.run(CREATE_SHARDS, [group, ALL_SHARDS]);
  if (db.run(BURY, [group, member, now]).changes > 0) db.run(FREE_DEAD, [group]);
  const staying = db.all<{ member: string }>(STAYING, [group]).map((row) => row.member);
  const share = staying.includes(member) ? shareOf(member, staying) : 0;
  const held = (): LeasedShard[] => db.all<LeasedShard>(HELD, [group, member]);
  const own = held();
  if (own.length === share) return own;
  const kept = own.filter(({ shard }) => busy.includes(shard)).length;
  if (own.length > share) db.run(FREE_SURPLUS, [group, group, member, JSON.stringify(busy), Math.max(0, share - kept)]);
  else db.run(TAKE, [member, group, group, share - own.length]);
  return held();
}

/** Within a transaction. */
export function leave(db: Database, group: string, member: string): void {
  db.run("delete from clean_arch_event_members where reader = ? and member = ?", [group, member]);
  db.run("update clean_arch_event_shards set holder = null where reader = ? and holder = ?", [group, member]);
}

/** The fence alone tells: it is another one as soon as somebody else has held the shard. */
const ADVANCE = `update clean_arch_event_shards set position = ?, note = ? where reader = ? and shard = ? and fence = ?`;

export function advance(
  db: Database,
  group: string,
  { shard, fence }: LeasedShard,
  position: number | null,
  note: string | null,
): boolean {
  return db.run(ADVANCE, [position, note, group, shard, fence]).changes > 0;
}

const GROUPS = `
select reader as "group", sum(waiting) as waiting, min(oldest) as "oldestAt",
  (select count(*) from clean_arch_event_members m where m.reader = s.reader and m.expires_at > ?) as members
from (
  select reader,
    (select count(*) from (select 1 from clean_arch_outbox o
      where o.shard = h.shard and o.position > coalesce(h.position, 0) limit 10000)) as waiting,
    (select stored_at from clean_arch_outbox o
      where o.shard = h.shard and o.position > coalesce(h.position, 0) order by o.position limit 1) as oldest
  from clean_arch_event_shards h) s
group by reader order by reader`;

export function listGroups(db: Database, now: number): EventGroup[] {
  return db.all<EventGroup>(GROUPS, [now]);
}

/** Within a transaction. */
export function forgetGroup(db: Database, group: string): void {
  for (const table of ["members", "shards"]) db.run(`delete from clean_arch_event_${table} where reader = ?`, [group]);
}
