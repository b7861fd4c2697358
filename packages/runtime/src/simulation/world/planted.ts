import type { Participant } from "../../participants/participant.js";
import type { Clock } from "../../ports.js";
import type { SagaDefinition } from "../../saga/definition.js";
import type { ContextSessions } from "../../store/context-sessions.js";
import type { RunStore } from "../../store/run-store.js";
import type { MemoryWorld } from "../../stores/memory/index.js";

/** Places where a test can plant a bug. */
export interface Planted {
  /** Between a process and its wire. */
  readonly store?: (store: RunStore) => RunStore;
  /** Behind the wire. */
  readonly server?: (store: RunStore, world: MemoryWorld) => RunStore;
  readonly contexts?: (contexts: ContextSessions) => ContextSessions;
  readonly participant?: (participant: Participant) => Participant;
  readonly clock?: (clock: Clock) => Clock;
  /** As the processes have them. */
  readonly definition?: (definition: SagaDefinition) => SagaDefinition;
}
