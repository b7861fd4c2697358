// The public API on one screen.

export { batch } from "./batch/batch.js";
export { type BatchSourceConfig, type BatchTaskConfig, batchFromConfig } from "./batch/batch-from-config.js";
export type { BatchOptions, BatchStageOptions, BatchWorkOptions, StageScope } from "./batch/batch-options.js";
export type { ItemPage, ItemSource, ReadItems, SourceScope } from "./batch/item-source.js";
export { type IteratorSourceOptions, iteratorSource } from "./batch/sources/iterator.js";
export type { EntitySource } from "./batch/sources/resolve-source.js";
export type { Broker, Delivery, PublishResult, Subscriber, Subscription } from "./broker/broker.js";
export { type EventMessage, MAX_EVENT_BYTES } from "./broker/event-message.js";
export { createLocalBroker, type LocalBrokerOptions } from "./brokers/local/index.js";
export { type BrokerCalls, type BrokerCallsOptions, createBrokerCalls } from "./calls/broker-calls.js";
export type { CallReply, CallRequest } from "./calls/call-message.js";
export {
  type CallRoute,
  type CallServer,
  type CallServerOptions,
  createCallServer,
  type ServedCall,
} from "./calls/call-server.js";
export {
  defineEventParticipant,
  type EventParticipant,
  type EventParticipantOptions,
} from "./choreography/event-participant.js";
export type {
  CheckpointConfig,
  ContextConfig,
  LimitsConfig,
  PartialConfig,
  RecoveryConfig,
  RetentionConfig,
  RotationConfig,
  SagaConfig,
  SessionConfig,
} from "./config.js";
export { DEFAULT_CONFIG, resolveConfig } from "./config.js";
export type { Failure, JournalRecord, JournalRow, RollbackStatus, RunStatus } from "./engine/records.js";
export { END_STATUSES, isEnded } from "./engine/records.js";
export type { StepOutcome } from "./engine/step-outcome.js";
export type { ErrorCode } from "./errors.js";
export { BusinessRefusal, ERRORS, RuntimeError } from "./errors.js";
export { type CloudEvent, cloudEvent, type EventParts, eventMessage, readCloudEvent } from "./events/cloud-event.js";
export { type Consumer, createConsumer } from "./events/consumer.js";
export type { ConsumerCounts } from "./events/consumer-counts.js";
export type { ConsumerOptions } from "./events/consumer-options.js";
export type {
  EventContext,
  EventHandler,
  EventTransactionContext,
  EventTransactionHandler,
} from "./events/event-context.js";
export { EventRefusal } from "./events/event-refusal.js";
export { DEFAULT_EVENT_RETENTION, type EventRetention } from "./events/event-retention.js";
export type { ParkedEvents, RedriveReport } from "./events/parked-events.js";
export { createRelay, type Relay, type RelayLag, type RelayOptions } from "./events/relay.js";
export type { RelayCounts } from "./events/relay-counts.js";
export type { Json, JsonObject } from "./json.js";
export type { Logger } from "./log.js";
export type * from "./operator/views.js";
export { type BrokerParticipantOptions, brokerParticipant } from "./participants/broker.js";
export { type HttpParticipantOptions, httpParticipant } from "./participants/http.js";
export type * from "./participants/ledger.js";
export { type LocalParticipantOptions, localParticipant } from "./participants/local.js";
export type { Participant } from "./participants/participant.js";
export { type SimulatedParticipantOptions, simulatedParticipant } from "./participants/simulated.js";
export type { Clock, Ports, Random } from "./ports.js";
export { systemPorts } from "./ports.js";
export { createRuntime, type Runtime, type RuntimeOptions } from "./runtime.js";
export * from "./saga/builder.js";
export type * from "./saga/definition.js";
export {
  type CompensationConfig,
  type RetryConfig,
  type StageConfig,
  sagaFromConfig,
  type TaskConfig,
} from "./saga/from-config.js";
export type * from "./saga/manager.js";
export type { Definition } from "./saga/registry.js";
export { createSagaManager, type SagaManagerOptions } from "./saga/saga-manager.js";
export type { ContextSessionsOptions } from "./session/context.js";
export { createContextSessions } from "./session/context.js";
export { type EncryptedSessionStoreOptions, encryptedSessionStore } from "./session/encrypted-store.js";
export type { EncryptionKey } from "./session/field-cipher.js";
export { type Freshness, isFresh, requireFresh } from "./session/freshness.js";
export type * from "./session/manager.js";
export type * from "./session/session-events.js";
export type { SessionManagerOptions } from "./session/session-manager.js";
export { createSessionManager } from "./session/session-manager.js";
export type * from "./store/batch-store.js";
export type * from "./store/context-sessions.js";
export type * from "./store/event-store.js";
export type * from "./store/run-store.js";
export { MAX_UNREAD, mayRestart } from "./store/run-store.js";
export type * from "./store/session-store.js";
