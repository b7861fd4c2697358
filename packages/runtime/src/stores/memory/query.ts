import type { RunStatus } from "../../engine/records.js";
import type { DefinitionRef, RunPage, RunQuery, StrandedRuns } from "../../store/run-store.js";
import { keyOf } from "./create.js";
import { type MemoryWorld, runRow, type StoredRun } from "./world.js";

export function listRuns(world: MemoryWorld, query: RunQuery): RunPage {
  const { tenant, status, definition, since, until, sessionId, businessKey, attributes, parentId, limit, cursor } =
    query;
  const found = [...world.runs.values()]
    .filter((run) => tenant === undefined || run.tenant === tenant)
    .filter((run) => status === undefined || status.includes(run.status))
    .filter((run) => definition === undefined || run.definition === definition)
    .filter((run) => since === undefined || run.createdAt >= since)
    .filter((run) => until === undefined || run.createdAt < until)
    .filter((run) => sessionId === undefined || run.sessionId === sessionId)
    .filter((run) => businessKey === undefined || run.businessKey === businessKey)
    .filter((run) => attributes === undefined || hasAll(run, attributes))
    .filter((run) => parentId === undefined || run.parentId === parentId)
    .filter((run) => cursor === undefined || run.id < cursor)
    .sort((a, b) => (a.id < b.id ? 1 : -1));
  const items = found.slice(0, limit).map(runRow);
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

function hasAll(run: StoredRun, wanted: Readonly<Record<string, string>>): boolean {
  const attributes = new Map(Object.entries(JSON.parse(run.attributes ?? "{}") as object));
  return Object.entries(wanted).every(([key, value]) => attributes.get(key) === value);
}

const MAX_STRANDED = 100;

export function strandedRuns(world: MemoryWorld, known: readonly DefinitionRef[]): StrandedRuns[] {
  const listed = new Set(known.map(({ name, version }) => JSON.stringify([name, version])));
  const found = new Map<string, StrandedRuns>();
  for (const { definition, version, endedAt } of world.runs.values()) {
    const ref = JSON.stringify([definition, version]);
    if (endedAt === null && !listed.has(ref))
      found.set(ref, { definition, version, runs: (found.get(ref)?.runs ?? 0) + 1 });
  }
  return [...found.values()].sort((a, b) => b.runs - a.runs).slice(0, MAX_STRANDED);
}

export function countRuns(world: MemoryWorld): Partial<Record<RunStatus, number>> {
  const counts: Partial<Record<RunStatus, number>> = {};
  for (const { status } of world.runs.values()) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** A run that others started, the first of which goes on, may yet be undone. */
function isNeeded(world: MemoryWorld, { parentId, rootId }: StoredRun): boolean {
  return parentId !== null && world.runs.get(rootId)?.endedAt === null;
}

export function prune(world: MemoryWorld, endedBefore: number, limit: number): number {
  const ended = [...world.runs.values()]
    .filter((run) => run.endedAt !== null && run.endedAt < endedBefore && !isNeeded(world, run))
    .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0))
    .slice(0, limit);
  for (const run of ended) {
    world.runs.delete(run.id);
    world.batches.delete(run.id);
    // A restart may have taken its key over.
    if (run.key !== null && world.keys.get(keyOf(run)) === run.id) world.keys.delete(keyOf(run));
  }
  return ended.length;
}
