import type { Database } from "./database.js";

/** Its lease holds. */
export function isActive(db: Database, worker: string, now: number): boolean {
  return (
    db.all("select 1 from clean_arch_workers where id = ? and dead = 0 and expires_at > ?", [worker, now]).length > 0
  );
}

/** Nobody declared it dead, whatever its lease. */
export function isAlive(db: Database, worker: string): boolean {
  return db.all("select 1 from clean_arch_workers where id = ? and dead = 0", [worker]).length > 0;
}
