export { createMemoryLedger, type MemoryLedgerOptions } from "./ledger.js";
export { createMemoryRunStore, type MemoryRunStoreOptions } from "./run-store.js";
export { createMemoryWorld, type MemoryWorld } from "./world.js";
