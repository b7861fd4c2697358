export { batchStoreContract } from "./batch-store-contract.js";
export { type BrokerContractOptions, type BrokerUnderTest, brokerContract } from "./broker-contract.js";
export { eventStoreContract } from "./event-store-contract.js";
export { type LedgerUnderTest, ledgerContract } from "./ledger-contract.js";
export { createManualClock, type ManualClock } from "./manual-clock.js";
export { type RunStoreTraits, type RunStoreUnderTest, runStoreContract } from "./run-store-contract.js";
export {
  type SessionStoreContractOptions,
  type SessionStoreUnderTest,
  sessionStoreContract,
} from "./session-store-contract.js";
