import type { EntitySource } from "../batch/sources/resolve-source.js";
import type { Broker } from "../broker/broker.js";
import type { EventParticipant } from "../choreography/event-participant.js";
import type { SessionConfig } from "../config.js";
import type { Logger } from "../log.js";
import type { Participant } from "../participants/participant.js";
import type { Ports } from "../ports.js";
import type { ContextSessions } from "../store/context-sessions.js";
import type { RunStore } from "../store/run-store.js";
import type { Definition } from "./registry.js";

export interface SagaManagerOptions {
  /** Opened and closed by the manager. */
  readonly store: RunStore;
  /** Of several versions of one name the last one starts new runs; the others finish theirs. */
  readonly definitions: readonly Definition[];
  /** By the service names that stages use. */
  readonly participants: Readonly<Record<string, Participant>>;
  /** What reads the entities that batches name as their source, by their names. Default: none. */
  readonly sources?: Readonly<Record<string, EntitySource>>;
  /** From `resolveConfig`. */
  readonly config: SessionConfig;
  /** Keeps a hot copy of runs' contexts as sessions; without it journal and snapshots alone hold them. */
  readonly contexts?: ContextSessions;
  /** Shown to operators. Default: the process id. */
  readonly label?: string;
  /** Clock, timers and chance. Default: the system's. */
  readonly ports?: Ports;
  /** Default: silent. */
  readonly logger?: Logger;
  /**
   * Carries the events of choreographed sagas, which a relay brings it from the store's outbox. Opened and closed by the manager. Default: the
   * local one, which is that outbox.
   */
  readonly broker?: Broker;
  /** False: whoever gives the broker relays to it what is in the outbox. Default: the manager does. */
  readonly relays?: boolean;
  /** Stages of choreographed sagas of other services, which this one performs. Of several for one stage the last one begins new ones. Default: none. */
  readonly eventParticipants?: readonly EventParticipant[];
  /**
   * Name of this service among those that share the broker, the same for all its instances: `A-Z a-z 0-9 _ -`, at most 64 characters.
   * With it the service takes the events of the sagas and stages that it knows, without it all. Needed where there are
   * `eventParticipants` and a broker. Default: it has the broker's events for itself, but for those who give a name.
   */
  readonly eventGroup?: string;
  /** Runs driven at once in this process. Default 1,000. */
  readonly maxRuns?: number;
  /** How often the store is asked for due runs, ms. Default 500. */
  readonly pollMs?: number;
}
