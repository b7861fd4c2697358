import type { MemoryWorld } from "./world.js";

/** Its lease holds. */
export function isActive(world: MemoryWorld, id: string, now: number): boolean {
  const worker = world.workers.get(id);
  return worker !== undefined && !worker.dead && worker.expiresAt > now;
}

/** Nobody declared it dead, whatever its lease. */
export function isAlive(world: MemoryWorld, id: string): boolean {
  return world.workers.get(id)?.dead === false;
}
