import type { CreateRun } from "../../store/run-store.js";
import type { MemoryWorld, StoredDebounce, StoredRun } from "./world.js";

type Debounce = NonNullable<CreateRun["debounce"]>;

/** Creates of a run that are remembered. */
const MAX_REMEMBERED = 50;

export function newDebounce(id: string, { key, maxMs }: Debounce, now: number): StoredDebounce {
  return { key, until: maxMs === null ? null : now + maxMs, ids: [id] };
}

/** The run that the create goes into, or went into before; undefined: there is none. */
export function joinDebounced(
  world: MemoryWorld,
  create: CreateRun,
  { key }: Debounce,
  input: string,
  attributes: string | null,
  now: number,
): StoredRun | undefined {
  const { tenant, definition, id } = create;
  const newest = [...world.runs.values()].findLast(
    (run) => run.debounced?.key === key && run.tenant === tenant && run.definition === definition,
  );
  if (newest === undefined || newest.debounced === null) return undefined;
  if (newest.debounced.ids.includes(id)) return newest;
  if (newest.status !== "pending") return undefined;

  const { version, inputHash, businessKey, sessionId, queue, partitionKey, priority, limited = false } = create;
  const startAt = Math.min(now + (create.delayMs ?? 0), newest.debounced.until ?? Number.POSITIVE_INFINITY);
  Object.assign(newest, {
    ...{ version, input, inputHash, businessKey, attributes, sessionId, queue, partitionKey, priority, limited },
    ...{ startAt, wakeAt: startAt, updatedAt: now },
    debounced: { ...newest.debounced, ids: [...newest.debounced.ids, id].slice(-MAX_REMEMBERED) },
  });
  return newest;
}
