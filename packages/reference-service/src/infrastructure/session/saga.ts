import {
  createContextSessions,
  createSagaManager,
  type Participant,
  type SagaManager,
  type SessionStore,
} from "@clean-arch/runtime";
import { createSqliteRunStore } from "@clean-arch/runtime/sqlite";
import type { Logger } from "../../application/ports/logger.js";
import { definitions } from "../../application/sagas/definitions.generated.js";
import type { Settings } from "../config/settings.js";
import { sessionConfig } from "./config.js";

/** The saga manager of this service, not yet open: its definitions, who performs their steps, and where runs live. */
export function createSagas(
  settings: Settings,
  sessionStore: SessionStore,
  participants: Readonly<Record<string, Participant>>,
  logger: Logger,
): SagaManager {
  const config = sessionConfig(settings);
  return createSagaManager({
    store: createSqliteRunStore({ file: settings.databaseFile }),
    definitions,
    participants,
    config,
    contexts: createContextSessions({ store: sessionStore, config: config.context }),
    logger,
  });
}
