export type { PostgresOptions } from "./connections.js";
export { createPostgresRunStore, type PostgresRunStoreOptions } from "./run-store.js";
