import { hostname } from "node:os";
import {
  type Broker,
  createContextSessions,
  createSagaManager,
  type EntitySource,
  type Participant,
  type RunStore,
  type SagaManager,
  type SessionStore,
} from "@clean-arch/runtime";
import type { Logger } from "../../application/ports/logger.js";
import { definitions } from "../../application/sagas/definitions.generated.js";
import type { Settings } from "../config/settings.js";
import { createBroker } from "./broker.js";
import { sessionConfig } from "./config.js";
import { createRunStore } from "./run-store.js";

/** What the sagas have in common with the service's own events. */
export interface SharedParts {
  /** Of runs and events. The manager opens and closes it. */
  readonly store: RunStore;
  /** Null: the outbox. Whoever shares it brings it the events of the outbox. */
  readonly broker: Broker | null;
}

/**
 * The saga manager of this service, not yet open: its definitions, who performs their steps, where runs live, and where batches find
 * the records of entities.
 */
export function createSagas(
  settings: Settings,
  sessionStore: SessionStore,
  participants: Readonly<Record<string, Participant>>,
  logger: Logger,
  shared?: SharedParts,
  sources: Readonly<Record<string, EntitySource>> = {},
): SagaManager {
  const config = sessionConfig(settings);
  const isChoreographed = settings.app.session.saga.orchestration === "choreography";
  const broker = shared === undefined && isChoreographed ? createBroker(settings, logger) : shared?.broker;
  return createSagaManager({
    store: shared?.store ?? createRunStore(settings),
    ...(broker && { broker, relays: shared === undefined }),
    definitions,
    participants,
    sources,
    config,
    contexts: createContextSessions({ store: sessionStore, config: config.context }),
    // How operators tell instances apart.
    label: `${hostname()}, process ${process.pid}, port ${settings.port}`,
    logger,
  });
}
