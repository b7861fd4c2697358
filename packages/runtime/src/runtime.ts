import type { EntitySource } from "./batch/sources/resolve-source.js";
import type { Broker } from "./broker/broker.js";
import type { EventParticipant } from "./choreography/event-participant.js";
import { type PartialConfig, resolveConfig } from "./config.js";
import type { Logger } from "./log.js";
import type { Participant } from "./participants/participant.js";
import type { Ports } from "./ports.js";
import type { SagaManager } from "./saga/manager.js";
import type { Definition } from "./saga/registry.js";
import { createSagaManager } from "./saga/saga-manager.js";
import { createContextSessions } from "./session/context.js";
import type { SessionManager } from "./session/manager.js";
import type { SessionListener } from "./session/session-events.js";
import { createSessionManager } from "./session/session-manager.js";
import type { RunStore } from "./store/run-store.js";
import type { SessionStore } from "./store/session-store.js";

export interface RuntimeOptions {
  /** Opened and closed by the runtime, like `sessionStore`. */
  readonly runStore: RunStore;
  readonly sessionStore: SessionStore;
  /** Of several versions of one name the last one starts new runs; the others finish theirs. */
  readonly definitions: readonly Definition[];
  /** By the service names that steps use; none when every step is a function. */
  readonly participants?: Readonly<Record<string, Participant>>;
  /** What reads the entities that batches name as their source, by their names. Default: none. */
  readonly sources?: Readonly<Record<string, EntitySource>>;
  /** Carries the events of choreographed sagas. Default: the local one, over the outbox of `runStore`. */
  readonly broker?: Broker;
  /** Stages of choreographed sagas of other services, which this one performs (`defineEventParticipant`). Default: none. */
  readonly eventParticipants?: readonly EventParticipant[];
  /** Name of this service among those that share the broker; as `SagaManagerOptions` has it. */
  readonly eventGroup?: string;
  /** Defaults: `DEFAULT_CONFIG`. */
  readonly config?: PartialConfig;
  /** Told what happens to login sessions, for an audit trail. Default: nobody. */
  readonly sessionEvents?: SessionListener;
  /** Clock, timers and chance. Default: the system's. */
  readonly ports?: Ports;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Sessions and sagas of one process, wired: runs keep their contexts as sessions. */
export interface Runtime {
  readonly sessions: SessionManager;
  readonly sagas: SagaManager;
  /** Sessions first: a run taken over at once may want its context. A start that fails leaves nothing open. */
  open(): Promise<void>;
  /** In reverse; attempts under way may finish for up to `graceMs` (default 10,000). Twice is once. */
  close(graceMs?: number): Promise<void>;
}

/** Nothing is opened yet. Errors: `config-invalid`, `definition-invalid`. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const {
    runStore,
    sessionStore,
    definitions,
    participants = {},
    sessionEvents: events,
    broker,
    eventParticipants,
    eventGroup,
    ports,
    logger,
  } = options;
  const config = resolveConfig(options.config);
  const world = { ...(ports !== undefined && { ports }), ...(logger !== undefined && { logger }) };
  const { context, rotation, limits } = config;
  const sessions = createSessionManager({
    ...{ store: sessionStore, config: context, rotation, limits, ...world },
    ...(events !== undefined && { events }),
  });
  const contexts = createContextSessions({ store: sessionStore, config: config.context });
  const sagas = createSagaManager({
    store: runStore,
    definitions,
    participants,
    config,
    contexts,
    ...world,
    ...(broker && { broker }),
    ...(options.sources && { sources: options.sources }),
    ...(eventParticipants && { eventParticipants }),
    ...(eventGroup !== undefined && { eventGroup }),
  });
  const close = async (graceMs?: number): Promise<void> => {
    await sagas.close(graceMs);
    await sessions.close();
  };
  return {
    sessions,
    sagas,
    close,
    async open() {
      try {
        await sessions.open();
        await sagas.open();
      } catch (error) {
        await close(0).catch(() => {});
        throw error;
      }
    },
  };
}
