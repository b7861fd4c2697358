import type { QueueLimit } from "./queue-limit.js";

/** A run that is due and has not begun, because its queue is limited. */
export interface WaitingRun {
  readonly id: string;
  readonly priority: number;
  readonly partitionKey: string | null;
}

/** How much of a queue is taken, as the store counted it while nobody else begins runs of it. */
export interface QueueUse {
  readonly held: number;
  /** By partition key. */
  readonly heldByKey: ReadonlyMap<string, number>;
  /** Starts within the window of its rate that ends now, up to its `max`, and when the first of them was; 0 and null without a rate. */
  readonly begun: number;
  readonly firstBegunAt: number | null;
}

/** Runs at the head of a line that are looked at one by one, before its keys are. */
export const MAX_AHEAD = 500;
/** Keys of a line that are looked at in one claim; the next one goes on behind them. */
export const MAX_KEYS = 1_000;

/** Runs that may begin now, `most` at most. */
export function roomOf({ concurrency, rateLimit }: Omit<QueueLimit, "queue">, use: QueueUse, most: number): number {
  const places = concurrency === null ? most : concurrency - use.held;
  const starts = rateLimit === null ? most : rateLimit.max - use.begun;
  return Math.max(0, Math.min(most, places, starts));
}

/** When the rate lets one more begin, after `more` that begin now; null: it does not hold it up. */
export function rateFreeAt(
  { rateLimit }: Omit<QueueLimit, "queue">,
  use: QueueUse,
  more: number,
  now: number,
): number | null {
  if (rateLimit === null || use.begun + more < rateLimit.max) return null;
  return (use.firstBegunAt ?? now) + rateLimit.windowMs;
}

/** The highest priority first, then the oldest: ids sort by age. */
function byLine(a: WaitingRun, b: WaitingRun): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  return a.id < b.id ? -1 : 1;
}

/** Those that may begin, in the order of the line; a key that is full lets those of other keys pass. */
export function fitting<Run extends WaitingRun>(
  line: readonly Run[],
  room: number,
  { concurrencyPerKey }: Pick<QueueLimit, "concurrencyPerKey">,
  heldByKey: QueueUse["heldByKey"],
): Run[] {
  const chosen: Run[] = [];
  const taken = new Map<string, number>();
  for (const run of [...line].sort(byLine)) {
    if (chosen.length >= room) break;
    const { partitionKey } = run;
    if (concurrencyPerKey !== null && partitionKey !== null) {
      const places = taken.get(partitionKey) ?? heldByKey.get(partitionKey) ?? 0;
      if (places >= concurrencyPerKey) continue;
      taken.set(partitionKey, places + 1);
    }
    chosen.push(run);
  }
  return chosen;
}

/** A queue that no definition of the claimer limits any more. */
export const NO_LIMITS = { concurrency: null, concurrencyPerKey: null, rateLimit: null } as const;

/** `QueueState.nextStartAt`. `rateFreeAt`: when the rate lets one more begin; null: now. */
export function nextStartAt(
  { concurrency }: Pick<QueueLimit, "concurrency">,
  line: { readonly waiting: number; readonly held: number; readonly firstLaterAt: number | null },
  now: number,
  rateFreeAt: number | null,
): number | null {
  if (concurrency !== null && line.held >= concurrency) return null;
  const due = line.waiting > 0 ? now : line.firstLaterAt;
  return due === null ? null : Math.max(due, rateFreeAt ?? due);
}
