import { freeChunksOf } from "../../store/local-batches.js";
import type { RenewRequest, RenewResult, WorkerRow } from "../../store/run-store.js";
import { memoryBatchTables } from "./batch-tables.js";
import { claimedRun, type MemoryWorld, openInbox, type StoredWorker } from "./world.js";

/**
 * Leases. A worker is active while it is not dead and its lease has not expired; an expired one that nobody declared dead
 * may renew. With `single`, one worker at most is active: the others stand by until its lease expires or it retires.
 * Memory has no outage of its own, so no takeover waits for the store to have been up for a lease.
 */
export function renew(world: MemoryWorld, request: RenewRequest, now: number, single: boolean): RenewResult {
  const known = world.workers.get(request.worker);
  if (known?.dead) return { kind: "dead" };
  const holder = [...world.workers.values()].find(
    (worker) => worker.id !== request.worker && !worker.dead && worker.expiresAt > now,
  );
  if (single && holder) return { kind: "standby", holder: holder.id, expiresAt: holder.expiresAt };

  const worker: StoredWorker = known ?? {
    id: request.worker,
    label: "",
    startedAt: now,
    renewedAt: now,
    expiresAt: now,
    dead: false,
  };
  worker.label = request.label;
  worker.renewedAt = now;
  worker.expiresAt = now + request.leaseMs;
  world.workers.set(worker.id, worker);
  buryExpired(world, now);

  const believed = new Set(request.runs);
  const owned = ownedBy(world, worker.id);
  const recognized = owned.filter((run) => believed.has(run.id));
  return {
    kind: "active",
    now,
    adopted: owned.filter((run) => !believed.has(run.id)).map(claimedRun),
    lost: request.runs.filter((id) => world.runs.get(id)?.owner !== worker.id),
    inbox: recognized.flatMap(openInbox),
  };
}

export function retire(world: MemoryWorld, id: string, now: number): void {
  const worker = world.workers.get(id);
  if (worker && !worker.dead) bury(world, worker, now, false);
}

/** Declares dead whose lease expired; their runs are due for others. */
export function buryExpired(world: MemoryWorld, now: number): void {
  for (const worker of world.workers.values())
    if (!worker.dead && worker.expiresAt <= now) bury(world, worker, now, true);
}

const MAX_DEAD = 50;

function bury(world: MemoryWorld, worker: StoredWorker, now: number, crashed: boolean): void {
  worker.dead = true;
  worker.expiresAt = Math.min(worker.expiresAt, now);
  for (const run of ownedBy(world, worker.id)) {
    run.owner = null;
    run.crashed = crashed;
    run.wakeAt = now;
  }
  freeChunksOf(memoryBatchTables(world, now), worker.id, crashed, now);
  const dead = [...world.workers.values()].filter((other) => other.dead);
  for (const oldest of dead.slice(0, -MAX_DEAD)) world.workers.delete(oldest.id);
}

export function listWorkers(world: MemoryWorld): WorkerRow[] {
  return [...world.workers.values()].reverse().map((worker) => ({ ...worker, runs: ownedBy(world, worker.id).length }));
}

function ownedBy(world: MemoryWorld, worker: string) {
  return [...world.runs.values()].filter((run) => run.owner === worker);
}
