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
import type { ClaimedRun, ClaimRequest } from "../../store/run-store.js";
import { texts, uuids } from "./binary-arrays.js";
import type { Connections, Queryable, Row } from "./connections.js";
import { selectClaimed } from "./run-rows.js";

/** Another claimer has the queue's row: it takes what there is, and what gets free after it counted is looked for a little later. */
const LOCKED_MS = 20;

/**
 * Runs that leave the lines of queues. Whoever begins runs of a queue holds the lock on its row from the count of what is taken to the
 * commit of what begins, so that of many claimers no two count the same place. Nobody waits for the lock, which a half-dead backend may hold.
 */
export class LineClaims {
  readonly #connections: Connections;
  readonly #request: ClaimRequest;
  /** Those that may have more. */
  #open: readonly string[];

  constructor(connections: Connections, request: ClaimRequest, lines: readonly string[]) {
    this.#connections = connections;
    this.#request = request;
    this.#open = lines;
  }

  /** Up to `most`, an equal share of each queue first. */
  async take(most: number): Promise<ClaimedRun[]> {
    const claimed: ClaimedRun[] = [];
    while (claimed.length < most && this.#open.length > 0) {
      const open = this.#open;
      const still: string[] = [];
      for (const [index, queue] of open.entries()) {
        const share = Math.ceil((most - claimed.length) / (open.length - index));
        const taken = share === 0 ? [] : await this.#takeOf(queue, share);
        claimed.push(...taken);
        if (taken.length === share) still.push(queue);
      }
      this.#open = still;
      if (still.length === open.length) break;
    }
    return claimed;
  }

  async #takeOf(queue: string, most: number): Promise<ClaimedRun[]> {
    const { queues = [], worker, onWait } = this.#request;
    const limit = queues.find((each) => each.queue === queue) ?? { queue, ...NO_LIMITS };
    return this.#connections.transaction(async (on) => {
      const nextKey = await lock(on, queue);
      if (nextKey === null) {
        onWait?.(LOCKED_MS);
        return [];
      }
      const { use, now } = await useOf(on, limit, limit.concurrency !== null || limit.concurrencyPerKey !== null);
      const room = roomOf(limit, use, most);
      const chosen = room === 0 ? [] : await this.#choose(on, limit, use, room, nextKey);
      const begun =
        chosen.length === 0 ? [] : await on.run("line-begin", [worker, uuids(chosen.map(({ id }) => id).sort())]);
      const freeAt = rateFreeAt(limit, use, begun.length, now);
      if (freeAt !== null) onWait?.(freeAt - now);
      return selectClaimed(
        on,
        begun.map((row) => String(row.id)),
      );
    });
  }

  async #choose(on: Queryable, limit: QueueLimit, use: QueueUse, room: number, nextKey: string): Promise<WaitingRun[]> {
    const { definitions } = this.#request;
    const known = texts(definitions.map(({ name, version }) => `${name}\n${version}`));
    const { queue, concurrencyPerKey } = limit;
    const head = (name: "line-head" | "line-keyless", most: number): Promise<WaitingRun[]> =>
      on.run(name, [queue, known, most]) as Promise<unknown> as Promise<WaitingRun[]>;
    if (concurrencyPerKey === null) return head("line-head", room);
    const ahead = await head("line-head", MAX_AHEAD);
    const chosen = fitting(ahead, room, limit, use.heldByKey);
    if (chosen.length === room || ahead.length < MAX_AHEAD) return chosen;
    // The head of the line is full of keys that are full: what stands behind them is found by key.
    const full = [...use.heldByKey].filter(([, runs]) => runs >= concurrencyPerKey).map(([key]) => key);
    const ofKey = Math.min(room, concurrencyPerKey);
    const keys = (after: string, most: number): Promise<Row[]> =>
      on.run("line-keys", [queue, known, after, most, ofKey, texts(full)]);
    const heads = [...(await head("line-keyless", room)), ...(await headsOf(on, queue, nextKey, keys))];
    return fitting(heads, room, limit, use.heldByKey);
  }
}

/** Of all keys of a line; of very many, of some, and the next time of those behind them. */
async function headsOf(
  on: Queryable,
  queue: string,
  after: string,
  keys: (after: string, most: number) => Promise<Row[]>,
): Promise<WaitingRun[]> {
  const rows = await keys(after, MAX_KEYS);
  const found = new Set(rows.map(({ key }) => String(key)));
  const isMore = found.size === MAX_KEYS;
  if (isMore || after !== "") await on.run("queue-next-key", [queue, isMore ? rows.at(-1)?.key : ""]);
  if (!isMore && after !== "")
    rows.push(...(await keys("", MAX_KEYS - found.size)).filter(({ key }) => !found.has(String(key))));
  return rows
    .filter(({ id }) => id !== null)
    .map(({ id, key, priority }) => ({ id: String(id), partitionKey: String(key), priority: Number(priority) }));
}

/** Gives where the next look at its keys begins. Null: somebody else has the lock. */
async function lock(on: Queryable, queue: string): Promise<string | null> {
  const [known] = await on.run("queue-lock", [queue]);
  if (known !== undefined) return String(known.next_key);
  const added = await on.run("queue-add", [queue]);
  return added.length === 0 ? null : "";
}

/** Of a queue without a limit of places the places are counted only for those who ask how it stands. */
async function useOf(
  on: Queryable,
  { queue, rateLimit }: QueueLimit,
  countsPlaces: boolean,
): Promise<{ readonly use: QueueUse; readonly now: number }> {
  const [row] = await on.run("queue-use", [queue, rateLimit?.windowMs ?? 0, rateLimit?.max ?? null, countsPlaces]);
  const keys = (row?.keys ?? []) as readonly (string | null)[];
  const runs = (row?.runs ?? []) as readonly number[];
  const heldByKey = new Map<string, number>();
  let held = 0;
  for (const [index, key] of keys.entries()) {
    held += runs[index] ?? 0;
    if (key !== null) heldByKey.set(key, runs[index] ?? 0);
  }
  const firstBegunAt = row?.firstBegunAt ?? null;
  return {
    use: {
      held,
      heldByKey,
      begun: Number(row?.begun ?? 0),
      firstBegunAt: firstBegunAt === null ? null : Number(firstBegunAt),
    },
    now: Number(row?.now),
  };
}

export async function queueStates(connections: Connections, limits: readonly QueueLimit[]): Promise<QueueState[]> {
  const on = connections.reader;
  return Promise.all(
    limits.map(async (limit) => {
      const { queue } = limit;
      const [[counts], { use, now }] = await Promise.all([on.run("queue-line", [queue]), useOf(on, limit, true)]);
      const waiting = Number(counts?.inLine ?? 0) + Number(counts?.due ?? 0);
      const firstLaterAt = counts?.firstLaterAt ?? null;
      const line = { waiting, held: use.held, firstLaterAt: firstLaterAt === null ? null : Number(firstLaterAt) };
      return {
        ...{ queue, waiting, delayed: Number(counts?.delayed ?? 0), running: use.held },
        nextStartAt: nextStartAt(limit, line, now, rateFreeAt(limit, use, 0, now)),
      };
    }),
  );
}
