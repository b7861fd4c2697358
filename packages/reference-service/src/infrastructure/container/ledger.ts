import type { Ledger } from "@clean-arch/runtime";
import { createPostgresLedger } from "@clean-arch/runtime/postgres";
import { createSqliteLedger } from "@clean-arch/runtime/sqlite";
import type { Settings } from "../config/settings.js";

/** What simulated services did, in the service's own database; null in production, where nothing is simulated. */
export function createLedger({ database, production }: Settings): Ledger | null {
  if (production) return null;
  if (database.driver === "postgres") return createPostgresLedger({ url: database.url });
  return createSqliteLedger({ file: database.file });
}
