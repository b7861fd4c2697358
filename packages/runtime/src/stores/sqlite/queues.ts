import type { QueueLimit, QueueState } from "../../store/queue-limit.js";
import {
  fitting,
  MAX_AHEAD,
  MAX_KEYS,
  NO_LIMITS,
  nextStartAt,
  type QueueUse,
  rateFreeAt,
  roomOf,
  type WaitingRun,
} from "../../store/queue-room.js";
import type { ClaimRequest } from "../../store/run-store.js";
import type { Database } from "./database.js";

const IS_ANY = `select 1 from clean_arch_runs where in_line = 1 limit 1`;
/** Each name costs one probe of the index, however many runs stand there. */
const LINES = `
with recursive lines (queue) as (
  select (select queue from clean_arch_runs where in_line = 1 order by queue limit 1)
  union all
  select (select r.queue from clean_arch_runs r where r.in_line = 1 and r.queue > l.queue order by r.queue limit 1)
  from lines l where l.queue is not null
)
select queue from lines where queue is not null`;

const HOLDS = `limited = 1 and fence > 0 and ended_at is null and (owner is not null or status not in ('stuck', 'paused'))`;
const HELD = `select partition_key as "partitionKey", count(*) as runs from clean_arch_runs where ${HOLDS} and queue = ? group by partition_key`;
const BEGUN = `
select count(*) as runs, min(begun_at) as "firstAt" from (
  select begun_at from clean_arch_runs where limited = 1 and begun_at is not null and queue = ? and begun_at > ?
  order by begun_at desc limit ?)`;

const KNOWN = `(definition, version) in (select json_extract(value, '$.name'), json_extract(value, '$.version') from json_each(?))`;
const HEAD = `
select id, priority, partition_key as "partitionKey" from clean_arch_runs
where in_line = 1 and queue = ? and ${KNOWN} order by priority desc, id limit ?`;

const KEYS = `
with recursive line as (select ? as queue, ? as after, ? as most),
keys (key, n) as (
  select (select r.partition_key from clean_arch_runs r
    where r.in_line = 1 and r.queue = line.queue and r.partition_key > line.after order by r.partition_key limit 1), 1
  from line
  union all
  select (select r.partition_key from clean_arch_runs r
    where r.in_line = 1 and r.queue = line.queue and r.partition_key > k.key order by r.partition_key limit 1), k.n + 1
  from keys k, line where k.key is not null and k.n < line.most
)
select key from keys where key is not null`;
const HEAD_OF_KEY = `
select id, priority, partition_key as "partitionKey" from clean_arch_runs
where in_line = 1 and queue = ? and partition_key is ? and ${KNOWN} order by priority desc, id limit ?`;

const NEXT_KEY = `select next_key as "nextKey" from clean_arch_queues where queue = ?`;
const SET_NEXT_KEY = `
insert into clean_arch_queues (queue, next_key) values (?, ?) on conflict (queue) do update set next_key = excluded.next_key`;

/** Within a transaction: of the runs that stand in line, those that may begin now. */
export function admitted(db: Database, request: ClaimRequest, now: number): WaitingRun[] {
  const { queues = [], limit: most, onWait } = request;
  if (db.all(IS_ANY).length === 0) return [];
  return db.all<{ queue: string }>(LINES).flatMap(({ queue }) => {
    const limit = queues.find((each) => each.queue === queue) ?? { queue, ...NO_LIMITS };
    const use = useOf(db, limit, now, limit.concurrency !== null || limit.concurrencyPerKey !== null);
    const room = roomOf(limit, use, most);
    const chosen = room === 0 ? [] : choose(db, limit, request, use, room);
    const freeAt = rateFreeAt(limit, use, chosen.length, now);
    if (freeAt !== null) onWait?.(freeAt - now);
    return chosen;
  });
}

/** Of a queue without a limit of places the places are counted only for those who ask how it stands. */
function useOf(db: Database, { queue, rateLimit }: QueueLimit, now: number, countsPlaces: boolean): QueueUse {
  const rows = countsPlaces ? db.all<{ partitionKey: string | null; runs: number }>(HELD, [queue]) : [];
  const begun =
    rateLimit === null
      ? []
      : db.all<{ runs: number; firstAt: number | null }>(BEGUN, [queue, now - rateLimit.windowMs, rateLimit.max]);
  return {
    held: rows.reduce((sum, { runs }) => sum + runs, 0),
    heldByKey: new Map(rows.flatMap(({ partitionKey, runs }) => (partitionKey === null ? [] : [[partitionKey, runs]]))),
    begun: begun[0]?.runs ?? 0,
    firstBegunAt: begun[0]?.firstAt ?? null,
  };
}

function choose(db: Database, limit: QueueLimit, request: ClaimRequest, use: QueueUse, room: number): WaitingRun[] {
  const known = JSON.stringify(request.definitions);
  const { queue, concurrencyPerKey } = limit;
  if (concurrencyPerKey === null) return db.all<WaitingRun>(HEAD, [queue, known, room]);
  const ahead = db.all<WaitingRun>(HEAD, [queue, known, MAX_AHEAD]);
  const chosen = fitting(ahead, room, limit, use.heldByKey);
  if (chosen.length === room || ahead.length < MAX_AHEAD) return chosen;
  // The head of the line is full of keys that are full: what stands behind them is found by key.
  const heads = [null, ...keysOf(db, queue)]
    .filter((key) => key === null || (use.heldByKey.get(key) ?? 0) < concurrencyPerKey)
    .flatMap((key) =>
      db.all<WaitingRun>(HEAD_OF_KEY, [queue, key, known, key === null ? room : Math.min(room, concurrencyPerKey)]),
    );
  return fitting(heads, room, limit, use.heldByKey);
}

/** All keys of a line; of very many some, and the next time those behind them. */
function keysOf(db: Database, queue: string): string[] {
  const after = db.all<{ nextKey: string }>(NEXT_KEY, [queue])[0]?.nextKey ?? "";
  const found = db.all<{ key: string }>(KEYS, [queue, after, MAX_KEYS]).map(({ key }) => key);
  const isMore = found.length === MAX_KEYS;
  if (isMore || after !== "") db.run(SET_NEXT_KEY, [queue, isMore ? (found.at(-1) ?? "") : ""]);
  if (isMore || after === "") return found;
  const fromStart = db.all<{ key: string }>(KEYS, [queue, "", MAX_KEYS - found.length]).map(({ key }) => key);
  return [...new Set([...found, ...fromStart])];
}

const LATER = `limited = 1 and status = 'pending' and in_line = 0 and queue = given.queue`;
const COUNTS = `
with given as (select ? as queue, ? as now)
select (select count(*) from clean_arch_runs where in_line = 1 and queue = given.queue) as "inLine",
  (select count(*) from clean_arch_runs where ${LATER} and wake_at <= given.now) as due,
  (select count(*) from clean_arch_runs where ${LATER} and wake_at > given.now) as delayed,
  (select min(wake_at) from clean_arch_runs where ${LATER} and wake_at > given.now) as "firstLaterAt"
from given`;

interface Counts {
  readonly inLine: number;
  readonly due: number;
  readonly delayed: number;
  readonly firstLaterAt: number | null;
}

export function queueState(db: Database, limit: QueueLimit, now: number): QueueState {
  const { queue } = limit;
  const [counts] = db.all<Counts>(COUNTS, [queue, now]);
  const { inLine = 0, due = 0, delayed = 0, firstLaterAt = null } = counts ?? {};
  const use = useOf(db, limit, now, true);
  const line = { waiting: inLine + due, held: use.held, firstLaterAt };
  return {
    ...{ queue, waiting: line.waiting, delayed, running: use.held },
    nextStartAt: nextStartAt(limit, line, now, rateFreeAt(limit, use, 0, now)),
  };
}
