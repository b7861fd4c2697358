import { hostname } from "node:os";
import {
  createContextSessions,
  createSagaManager,
  type Participant,
  type SagaManager,
  type SessionStore,
} from "@clean-arch/runtime";
import type { Logger } from "../../application/ports/logger.js";
import { definitions } from "../../application/sagas/definitions.generated.js";
import type { Settings } from "../config/settings.js";
import { createBroker } from "./broker.js";
import { sessionConfig } from "./config.js";
import { createRunStore } from "./run-store.js";

/** The saga manager of this service, not yet open: its definitions, who performs their steps, and where runs live. */
export function createSagas(
  settings: Settings,
  sessionStore: SessionStore,
  participants: Readonly<Record<string, Participant>>,
  logger: Logger,
): SagaManager {
  const config = sessionConfig(settings);
  return createSagaManager({
    store: createRunStore(settings),
    ...createBroker(settings, logger),
    definitions,
    participants,
    config,
    contexts: createContextSessions({ store: sessionStore, config: config.context }),
    // How operators tell instances apart.
    label: `${hostname()}, process ${process.pid}, port ${settings.port}`,
    logger,
  });
}
