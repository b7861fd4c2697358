export { createMemoryLedger, type MemoryLedgerOptions } from "./ledger.js";
export { createMemoryRunStore, type MemoryRunStoreOptions } from "./run-store.js";
export { createMemorySessionStore, type MemorySessionStoreOptions } from "./session-store.js";
export type { MemoryClient } from "./transaction.js";
export { createMemoryWorld, type MemoryWorld } from "./world.js";
