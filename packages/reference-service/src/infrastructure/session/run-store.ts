import type { RunStore } from "@clean-arch/runtime";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { createSqliteRunStore } from "@clean-arch/runtime/sqlite";
import type { Settings } from "../config/settings.js";

/** Where runs and their journals live, not yet open: the service's own database. */
export function createRunStore({ database }: Settings): RunStore {
  if (database.driver === "sqlite") return createSqliteRunStore({ file: database.file });
  return createPostgresRunStore({ url: database.url });
}
