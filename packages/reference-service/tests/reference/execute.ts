import type { EntityService } from "../integration/entity-service.js";

/** Runs SQL in the service's database, past the service. */
export async function execute({ database: { driver, database } }: EntityService, sql: string): Promise<void> {
  if (driver === "sqlite") database.exec(sql);
  else await database.pool.query(sql);
}
