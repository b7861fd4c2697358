export { type Database, type DatabaseOptions, openDatabase } from "./database.js";
export { createSqliteSessionStore, type SqliteSessionStoreOptions } from "./session-store.js";
