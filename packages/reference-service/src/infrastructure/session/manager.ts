import { createSessionManager, type SessionManager, type SessionStore } from "@clean-arch/runtime";
import { createMemorySessionStore } from "@clean-arch/runtime/memory";
import { createSqliteSessionStore } from "@clean-arch/runtime/sqlite";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
import { sessionConfig } from "./config.js";

/** Where sessions and the contexts of runs live. */
export function createSessionStore(settings: Settings): SessionStore {
  if (settings.sessionStorage === "memory") return createMemorySessionStore({});
  return createSqliteSessionStore({ file: settings.databaseFile });
}

/** The session manager of this service, not yet open. */
export function createSessions(settings: Settings, store: SessionStore, logger: Logger): SessionManager {
  if (settings.database.driver === "postgres") {
    const facts = { storage: settings.sessionStorage };
    logger.warn(facts, "login sessions are kept by this instance alone: other instances do not know them");
  }
  return createSessionManager({ store, config: sessionConfig(settings).context, logger });
}
