import type { QueueLimit, QueueState } from "../../store/queue-limit.js";
import { fitting, NO_LIMITS, nextStartAt, type QueueUse, rateFreeAt, roomOf } from "../../store/queue-room.js";
import type { ClaimRequest } from "../../store/run-store.js";
import type { MemoryWorld, StoredRun } from "./world.js";

/** It is due, has not begun, and needs a place for it. */
export function isInLine(run: StoredRun, now: number): boolean {
  return run.limited && isNew(run) && !run.called && run.wakeAt !== null && run.wakeAt <= now;
}

function isNew({ fence, owner, endedAt }: StoredRun): boolean {
  return fence === 0 && owner === null && endedAt === null;
}

function holdsPlace({ limited, fence, owner, status, endedAt }: StoredRun): boolean {
  return limited && fence > 0 && endedAt === null && (owner !== null || (status !== "stuck" && status !== "paused"));
}

/** Of the runs that stand in line, those that may begin. */
export function admitted(
  world: MemoryWorld,
  inLine: readonly StoredRun[],
  { queues = [], limit: most, onWait }: ClaimRequest,
  now: number,
): StoredRun[] {
  const lines = new Map<string, StoredRun[]>();
  for (const run of inLine) lines.set(run.queue, [...(lines.get(run.queue) ?? []), run]);
  return [...lines].flatMap(([queue, line]) => {
    const limit = queues.find((each) => each.queue === queue) ?? { queue, ...NO_LIMITS };
    const use = useOf(world, limit, now);
    const chosen = fitting(line, roomOf(limit, use, most), limit, use.heldByKey);
    const freeAt = rateFreeAt(limit, use, chosen.length, now);
    if (freeAt !== null) onWait?.(freeAt - now);
    return chosen;
  });
}

function useOf(world: MemoryWorld, limit: QueueLimit, now: number): QueueUse {
  const heldByKey = new Map<string, number>();
  let held = 0;
  for (const run of world.runs.values()) {
    if (run.queue !== limit.queue || !holdsPlace(run)) continue;
    held += 1;
    if (run.partitionKey !== null) heldByKey.set(run.partitionKey, (heldByKey.get(run.partitionKey) ?? 0) + 1);
  }
  const starts = startsIn(world, limit, now);
  return { held, heldByKey, begun: starts.length, firstBegunAt: starts[0] ?? null };
}

/** When they were, within the window that ends now, oldest first. */
function startsIn(world: MemoryWorld, { queue, rateLimit }: QueueLimit, now: number): number[] {
  if (rateLimit === null) return [];
  return [...world.runs.values()]
    .filter((run) => run.queue === queue && run.limited && run.begunAt !== null)
    .map(({ begunAt }) => begunAt ?? 0)
    .filter((at) => at > now - rateLimit.windowMs)
    .sort((a, b) => a - b);
}

export function queueState(world: MemoryWorld, limit: QueueLimit, now: number): QueueState {
  const { queue } = limit;
  const own = [...world.runs.values()].filter((run) => run.queue === queue && run.limited && isNew(run));
  const waiting = own.filter((run) => isInLine(run, now)).length;
  const later = own.filter((run) => run.wakeAt !== null && run.wakeAt > now).map(({ wakeAt }) => wakeAt ?? 0);
  const use = useOf(world, limit, now);
  const line = { waiting, held: use.held, firstLaterAt: later.length > 0 ? Math.min(...later) : null };
  return {
    ...{ queue, waiting, delayed: later.length, running: use.held },
    nextStartAt: nextStartAt(limit, line, now, rateFreeAt(limit, use, 0, now)),
  };
}
