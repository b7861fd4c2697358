export type { PostgresOptions } from "./connections.js";
export { createPostgresLedger, type PostgresLedgerOptions } from "./ledger.js";
export { createPostgresRunStore, type PostgresRunStoreOptions } from "./run-store.js";
export { withServerSettings } from "./server-settings.js";
