import type { RunStatus } from "../../engine/records.js";
import type { RunPage, RunQuery } from "../../store/run-store.js";
import { keyOf } from "./create.js";
import { type MemoryWorld, runRow } from "./world.js";

export function listRuns(world: MemoryWorld, query: RunQuery): RunPage {
  const { tenant, status, definition, since, sessionId, limit, cursor } = query;
  const found = [...world.runs.values()]
    .filter((run) => tenant === undefined || run.tenant === tenant)
    .filter((run) => status === undefined || status.includes(run.status))
    .filter((run) => definition === undefined || run.definition === definition)
    .filter((run) => since === undefined || run.createdAt >= since)
    .filter((run) => sessionId === undefined || run.sessionId === sessionId)
    .filter((run) => cursor === undefined || run.id < cursor)
    .sort((a, b) => (a.id < b.id ? 1 : -1));
  const items = found.slice(0, limit).map(runRow);
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export function countRuns(world: MemoryWorld): Partial<Record<RunStatus, number>> {
  const counts: Partial<Record<RunStatus, number>> = {};
  for (const { status } of world.runs.values()) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

export function prune(world: MemoryWorld, endedBefore: number, limit: number): number {
  const ended = [...world.runs.values()]
    .filter((run) => run.endedAt !== null && run.endedAt < endedBefore)
    .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0))
    .slice(0, limit);
  for (const run of ended) {
    world.runs.delete(run.id);
    if (run.key !== null) world.keys.delete(keyOf(run));
  }
  return ended.length;
}
