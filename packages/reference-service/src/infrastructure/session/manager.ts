import { createSessionManager, type SessionManager, type SessionStore } from "@clean-arch/runtime";
import { createMemorySessionStore } from "@clean-arch/runtime/memory";
import { createRedisSessionStore } from "@clean-arch/runtime/redis";
import { createSqliteSessionStore } from "@clean-arch/runtime/sqlite";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
import { auditSessions } from "./audit.js";
import { sessionConfig } from "./config.js";

/** Where sessions and the contexts of runs live. */
export function createSessionStore({ sessionStorage: storage, app, databaseFile }: Settings): SessionStore {
  switch (storage.kind) {
    case "redis": {
      const [url = "", ...others] = storage.url.split(",");
      const { prefix } = app.session.context;
      return createRedisSessionStore({ url: others.length === 0 ? url : [url, ...others], prefix });
    }
    case "sqlite":
      return createSqliteSessionStore({ file: databaseFile });
    case "memory":
      return createMemorySessionStore({});
  }
}

/** The session manager of this service, not yet open. */
export function createSessions(settings: Settings, store: SessionStore, logger: Logger): SessionManager {
  const { kind } = settings.sessionStorage;
  if (settings.database.driver === "postgres" && kind !== "redis") {
    const message = "login sessions are kept by this instance alone: other instances do not know them";
    logger.warn({ storage: kind }, message);
  }
  const { context, rotation, limits } = sessionConfig(settings);
  return createSessionManager({
    ...{ store, config: context, rotation, limits, logger },
    events: auditSessions(logger),
  });
}
