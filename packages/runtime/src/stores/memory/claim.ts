import type { ClaimedRun, ClaimRequest } from "../../store/run-store.js";
import { isActive } from "./leases.js";
import { buryExpired } from "./workers.js";
import { claimedRun, type MemoryWorld, type StoredRun } from "./world.js";

export function claim(world: MemoryWorld, request: ClaimRequest, now: number): ClaimedRun[] {
  if (!isActive(world, request.worker, now)) return [];
  buryExpired(world, now);
  const listed = new Set(request.definitions.map(({ name, version }) => JSON.stringify([name, version])));
  return [...world.runs.values()]
    .filter((run) => run.owner === null && run.wakeAt !== null && run.wakeAt <= now)
    .filter((run) => listed.has(JSON.stringify([run.definition, run.version])))
    .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
    .slice(0, request.limit)
    .map((run) => {
      take(run, request.worker, now);
      return claimedRun(run);
    });
}

function take(run: StoredRun, worker: string, now: number): void {
  run.owner = worker;
  run.wakeAt = null;
  run.fence += 1;
  run.updatedAt = now;
  if (run.status === "pending" || run.status === "waiting") run.status = "running";
  if (run.fence === 1) return;
  const records = JSON.stringify([{ kind: "claimed", worker, ...(run.crashed && { crashed: true }) }]);
  run.journal.push({
    seq: run.journal.length + 1,
    fence: run.fence,
    appendId: `claim:${run.fence}`,
    at: now,
    records,
    parked: false,
  });
}
