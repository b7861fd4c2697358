import {
  createSessionManager,
  encryptedSessionStore,
  type SessionListener,
  type SessionManager,
  type SessionStore,
} from "@clean-arch/runtime";
import { createMemorySessionStore } from "@clean-arch/runtime/memory";
import { createRedisSessionStore } from "@clean-arch/runtime/redis";
import { createSqliteSessionStore } from "@clean-arch/runtime/sqlite";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
import { withoutRemarks } from "./audit.js";
import { sessionConfig } from "./config.js";

/** Where sessions and the contexts of runs live. */
export function createSessionStore(settings: Settings, logger: Logger): SessionStore {
  const store = createStore(settings, logger);
  const keys = settings.encryptionKeys;
  return keys.length === 0 ? store : encryptedSessionStore(store, { keys, logger });
}

function createStore({ sessionStorage: storage, app, databaseFile }: Settings, logger: Logger): SessionStore {
  switch (storage.kind) {
    case "redis": {
      const [url = "", ...others] = storage.url.split(",");
      const { prefix } = app.session.context;
      return createRedisSessionStore({ url: others.length === 0 ? url : [url, ...others], prefix, logger });
    }
    case "sqlite":
      return createSqliteSessionStore({ file: databaseFile });
    case "memory":
      return createMemorySessionStore({});
  }
}

export interface Sources {
  readonly store: SessionStore;
  readonly events: SessionListener;
  readonly logger: Logger;
}

/** The session manager of this service, not yet open. */
export function createSessions(settings: Settings, { store, events, logger }: Sources): SessionManager {
  const { kind } = settings.sessionStorage;
  if (settings.database.driver === "postgres" && kind !== "redis") {
    const message = "login sessions are kept by this instance alone: other instances do not know them";
    logger.warn({ storage: kind }, message);
  }
  const { context, rotation, limits } = sessionConfig(settings);
  return createSessionManager({ store, config: context, rotation, limits, events, logger: withoutRemarks(logger) });
}
