export { createManualClock, type ManualClock } from "./manual-clock.js";
export { sessionStoreContract, type SessionStoreContractOptions, type SessionStoreUnderTest } from "./session-store-contract.js";
export { type RunStoreTraits, type RunStoreUnderTest, runStoreContract } from "./run-store-contract.js";
