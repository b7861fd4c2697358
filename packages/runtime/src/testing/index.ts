export { type BrokerContractOptions, type BrokerUnderTest, brokerContract } from "./broker-contract.js";
export { eventStoreContract } from "./event-store-contract.js";
export type { TestCall } from "./kit/call-log.js";
export {
  type FaultyStore,
  type FaultyStoreOptions,
  faultyStore,
  type InjectedFault,
  type PlannedStoreFault,
  type StoreFault,
  type StoreFaultRates,
} from "./kit/faulty-store.js";
export type { Answer, TestAnswers } from "./kit/simulated-services.js";
export { createTestRuntime, type TestFailure, type TestRuntime, type TestRuntimeOptions } from "./kit/test-runtime.js";
export { type LedgerUnderTest, ledgerContract } from "./ledger-contract.js";
export { createManualClock, type ManualClock } from "./manual-clock.js";
export { type RunStoreTraits, type RunStoreUnderTest, runStoreContract } from "./run-store-contract.js";
export {
  type SessionStoreContractOptions,
  type SessionStoreUnderTest,
  sessionStoreContract,
} from "./session-store-contract.js";
