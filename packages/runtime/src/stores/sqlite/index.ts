export { type Database, type DatabaseOptions, openDatabase } from "./database.js";
export { createSqliteLedger, type SqliteLedgerOptions } from "./ledger.js";
export { createSqliteRunStore, type SqliteRunStoreOptions } from "./run-store.js";
export { createSqliteSessionStore, type SqliteSessionStoreOptions } from "./session-store.js";
