export { createSqliteSessionStore, type SqliteSessionStoreOptions } from "./session-store.js";
